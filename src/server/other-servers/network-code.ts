/** The system's name for why a `fetch` failed, such as `ECONNREFUSED`; empty where it gave none. */
export function networkCode(error: unknown): string {
  const cause = (error as { cause?: { code?: unknown; errors?: { code?: unknown }[] } }).cause;
  return String(cause?.code ?? cause?.errors?.[0]?.code ?? '');
}
