/** The whole number nearest to `value`; of two that are as near, the even one, as OpenCV rounds. */
export function nearestEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}
