/** What a file says of one tensor. */
export type TensorFacts = {
  /** How its numbers are kept. */
  readonly type: 'f64' | 'f32' | 'f16' | 'bf16' | 'i64' | 'i32' | 'i16' | 'i8' | 'u8' | 'bool' | 'other';
  readonly dims: readonly number[];
};

/** An open file of weights, of which only its list is in memory. */
export interface Weights extends AsyncDisposable {
  readonly file: string;
  readonly tensors: ReadonlyMap<string, TensorFacts>;
  /**
   * One tensor's numbers, row-major, whatever kind of float they are kept as. Rejects with a `WeightsError` where there is no such
   * tensor, where it is not made of floats, or where the file is damaged; with the signal's reason once that aborts.
   */
  read(name: string, signal: AbortSignal): Promise<Float32Array>;
}

/** Why a file of weights cannot be used, in one sentence that names the file and the fix. */
export class WeightsError extends Error {
  override readonly name = 'WeightsError';
}
