import { readdirSync, readFileSync } from 'node:fs';
import { ROOT } from '../root.ts';

/** The text of a Lua script. */
export const readLua = (name: string): string => readFileSync(new URL(`lua/${name}.lua`, ROOT), 'utf8');

/** The text of an SQL statement. */
export const readSql = (name: string): string => readFileSync(new URL(`sql/${name}.sql`, ROOT), 'utf8');

/** All migrations as [number, name, text], in order. */
export function readMigrations(): [number, string, string][] {
  return readdirSync(new URL('sql/migrations/', ROOT))
    .filter((file) => /^\d{3}_.*\.sql$/.test(file))
    .sort()
    .map((file) => [
      Number(file.slice(0, 3)),
      file,
      readFileSync(new URL(`sql/migrations/${file}`, ROOT), 'utf8'),
    ]);
}
