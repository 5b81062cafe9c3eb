import { once } from 'node:events';
import { createServer } from 'node:net';
import { SetupError } from '../config.ts';

/** Throws a SetupError when the address cannot be listened on, before anything is started. */
export async function requireFreePort(host: string, port: number): Promise<void> {
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, 'listening');
    probe.close();
    await once(probe, 'close');
  } catch (error) {
    throw new SetupError(
      `Cannot listen on ${host}:${port} (${(error as NodeJS.ErrnoException).code}); set PORT or HOST.`,
    );
  }
}
