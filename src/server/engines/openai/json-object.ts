/** The JSON object that `data` is; undefined for anything else. */
export function jsonObject<T extends object>(data: string): T | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}
