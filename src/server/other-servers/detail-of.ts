/** The server's own words as a part of a sentence, empty where there are none or they repeat the conversation. */
export function detailOf(body: string, secrets: readonly string[]): string {
  const said = messageIn(body)
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 200)
    .replace(/[.!]+$/, '');
  const repeats = secrets.some((secret) => secret.length > 3 && said.includes(secret.trim().slice(0, 12)));
  return said === '' || repeats ? '' : `: ${said}`;
}

function messageIn(body: string): string {
  try {
    const { error, message, detail } = JSON.parse(body) as Record<string, unknown>;
    const first = Array.isArray(detail) ? (detail[0] as { msg?: unknown } | undefined)?.msg : detail;
    const inner = (error as { message?: unknown } | undefined)?.message ?? error ?? message ?? first;
    return typeof inner === 'string' ? inner : '';
  } catch {
    return '';
  }
}
