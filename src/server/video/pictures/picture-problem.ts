import { VideoError } from '../contracts.ts';

/** Why a picture could not be read, in one sentence for whoever chose it. */
export class PictureProblem extends VideoError {
  readonly problem: 'format' | 'too_large' | 'damaged';

  constructor(problem: 'format' | 'too_large' | 'damaged', message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}

/** For a file that ends too early or contradicts itself. */
export const damaged = (kind: string, cause?: unknown): PictureProblem =>
  new PictureProblem('damaged', `The ${kind} file is damaged; save the picture again, or choose another.`, { cause });
