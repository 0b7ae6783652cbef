const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export type LogLevel = (typeof LEVELS)[number];
export type Logger = Record<LogLevel, (message: string, facts?: Record<string, unknown>) => void>;

/** A logger of plain lines (`time LEVEL message key=value`); what is below `level` is dropped. */
export function createLogger(
  level: LogLevel,
  write: (line: string) => void = (line) => process.stderr.write(line),
): Logger {
  const from = LEVELS.indexOf(level);
  const at =
    (name: LogLevel) =>
    (message: string, facts: Record<string, unknown> = {}) => {
      if (LEVELS.indexOf(name) < from) return;
      const known = Object.entries(facts).filter(([, value]) => value !== undefined);
      const pairs = known.map(([key, value]) => ` ${key}=${typeof value === 'string' ? JSON.stringify(value) : value}`);
      write(`${new Date().toISOString()} ${name.toUpperCase().padEnd(5)} ${message}${pairs.join('')}\n`);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
