import type { LoopName } from '../../../protocol/messages.ts';
import { type Face, type Picture, type Point, VIDEO_FPS } from '../contracts.ts';
import { Eyelids } from './still/eyelids.ts';
import { poseAt } from './still/motion.ts';
import { Sway } from './still/sway.ts';

/** A base clip that is made of one picture. */
export type StillClip = {
  /** Its frames at `VIDEO_FPS`, each made when it is asked for; can be gone through more than once. */
  readonly frames: AsyncIterable<Picture>;
  /** Where the face is in each of them. */
  readonly faces: Face[];
  readonly count: number;
};

/**
 * Brings a picture to life for about `seconds`: it breathes, moves its head and blinks where eyes were found. The first frame
 * is the picture itself, and after the last it would be again.
 */
export function stillFrames(picture: Picture, face: Face, loop: LoopName | 'reply', seconds: number): StillClip {
  const count = Math.max(1, Math.round(seconds * VIDEO_FPS));
  const sway = new Sway(picture, face);
  const poses = Array.from({ length: count }, (_, i) => poseAt(loop, count / VIDEO_FPS, i / VIDEO_FPS));
  const faces = poses.map((pose) => {
    sway.take(pose);
    return movedFace(face, (point) => sway.moved(point));
  });
  const eyelids = new Eyelids(picture, [face.leftEye, face.rightEye]);
  async function* frames(): AsyncGenerator<Picture, void, undefined> {
    const source = Uint8Array.from(picture.rgb);
    for (const pose of poses) {
      eyelids.draw(source, pose.lids, pose.gazeX, pose.gazeY);
      sway.take(pose);
      const rgb = new Uint8Array(source.length);
      sway.draw(source, rgb);
      yield { width: picture.width, height: picture.height, rgb };
    }
  }
  return { frames: { [Symbol.asyncIterator]: frames }, faces, count };
}

function movedFace(face: Face, moved: (point: Point) => Point): Face {
  const { box } = face;
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const to = moved(middle);
  return {
    box: { ...box, x: box.x + to.x - middle.x, y: box.y + to.y - middle.y },
    outerLips: face.outerLips.map(moved),
    innerLips: face.innerLips.map(moved),
    leftEye: face.leftEye.map(moved),
    rightEye: face.rightEye.map(moved),
    jaw: face.jaw.map(moved),
  };
}
