/** A message of a stream of server-sent events (https://html.spec.whatwg.org/#event-stream-interpretation). */
export interface StreamMessage {
  readonly event: string;
  readonly data: string;
}

/** Longer is no message of this service; the stream is left. */
const MESSAGE_CHARS_MAX = 4 << 20;

/** The messages of a body, as they come; ends with it, and throws as its reader does. `onHeard` is called with every part, comments too. */
export async function* messagesOf(
  body: ReadableStream<Uint8Array>,
  onHeard: () => void,
): AsyncGenerator<StreamMessage> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onHeard();
      rest += decoder.decode(value, { stream: true });
      const blocks = rest.split(/\r?\n\r?\n/);
      rest = blocks.pop() as string;
      if (rest.length > MESSAGE_CHARS_MAX) throw new Error('a message of the stream has no end');
      for (const block of blocks) {
        const message = messageIn(block);
        if (message) yield message;
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** Comments, which keep the connection open, and blocks without data are no messages. */
function messageIn(block: string): StreamMessage | undefined {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
    else if (line.startsWith('event:')) event = line.slice(6).trim();
  }
  return data.length === 0 ? undefined : { event, data: data.join('\n') };
}
