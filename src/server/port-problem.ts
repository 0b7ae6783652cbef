import { once } from 'node:events';
import { createServer } from 'node:net';

/** Opens the port for a moment: why it cannot be listened on, as a sentence with the fix; undefined when it can. */
export async function portProblem(host: string, port: number): Promise<string | undefined> {
  const listener = createServer();
  try {
    listener.listen(port, host);
    await once(listener, 'listening');
    return undefined;
  } catch (error) {
    return listenProblem(error as NodeJS.ErrnoException, host, port);
  } finally {
    listener.close();
  }
}

/** What an error of `listen` means to the user. */
export function listenProblem(error: NodeJS.ErrnoException, host: string, port: number): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is in use: end the other program, or set server.port in config.yml to another number.`;
    case 'EACCES':
      return `Port ${port} needs rights that this user lacks; set server.port in config.yml to 1024 or more.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address ${host}; set server.host in config.yml to 127.0.0.1.`;
    default:
      return `Cannot listen on ${host}:${port}: ${error.message}`;
  }
}
