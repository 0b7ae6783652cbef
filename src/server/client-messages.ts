import { z } from 'zod';
import type { ClientMessage } from '../protocol/messages.ts';

const count = z.number().int().min(0).max(0xffffffff);

const schema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    version: z.number(),
    token: z.string().max(200).optional(),
    clips: z.enum(['pieces', 'url']).optional(),
  }),
  z.object({ type: z.literal('mic'), mode: z.enum(['open', 'held', 'off']) }),
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({
    type: z.literal('voice'),
    voice: z.object({ name: z.string().max(200), speed: z.number().min(0.5).max(2) }),
  }),
  z.object({ type: z.literal('interrupt') }),
  z.object({ type: z.literal('played'), turn: count, samples: count, final: z.boolean().optional() }),
  z.object({ type: z.literal('clip_received'), turn: count, bytes: count }),
  z.object({ type: z.literal('ping'), id: count }),
  z.object({ type: z.literal('bye') }),
]);

/** Reads one JSON text message from a browser, or says in a sentence what is wrong with it. */
export function readClientMessage(text: string): ClientMessage | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return 'A text message must be JSON.';
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data as ClientMessage;
  const issue = parsed.error.issues[0]!;
  const where = issue.path.length > 0 ? ` at ${issue.path.join('.')}` : '';
  return `This message is not one the server knows${where}: ${issue.message}.`;
}
