/**
 * As much of a checkout code as a log may show: `CHK-`, its sale, and 8 of its 32 random hex digits. Enough for an operator
 * to find it in Postgres; the 96 bits that are left keep it a secret of its user.
 */
const SHOWN = 25;

/** A ticket of a queue: all of it but the signature may be shown. */
const TICKET = /(S-[0-9a-f]{10}\.\d+\.[\w-]+\.)[\w-]+/g;

/** Text fit for a log line: it never holds a whole checkout code, or a ticket of a queue, however it is written. */
export function maskCodes(text: string): string {
  if (!/CHK|%|S-[0-9a-f]{10}\./.test(text)) return text;
  return decoded(text)
    .replace(/CHK\S*/g, (code) => (code.length > SHOWN ? `${code.slice(0, SHOWN)}…` : code))
    .replace(TICKET, '$1…');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replaceAll('%', '…');
  }
}
