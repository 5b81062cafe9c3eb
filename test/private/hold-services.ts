// Forked by the tests: holds private servers until it is killed. argv: data directory, names of the servers.
import { startLocalServices } from '../../src/private/services.ts';

// Before anything is said: the test interrupts at once.
process.on('SIGINT', () => process.send?.({ interrupted: true }));
const [dataDir = '', names = ''] = process.argv.slice(2);
try {
  const { redisUrl, databaseUrl } = await startLocalServices({
    dataDir,
    redis: names.includes('redis'),
    postgres: names.includes('postgres'),
    redisServer: undefined,
    onExit: () => {},
  });
  process.send?.({ redisUrl, databaseUrl });
} catch (error) {
  process.send?.({ refused: (error as Error).name });
}
setInterval(() => {}, 60_000);
