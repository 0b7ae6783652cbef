// The main module of a process that converts MuseTalk's files, for the benchmark: its arguments are the sources as JSON and the
// folder, and what it prints is what was converted, as JSON.
import { convert } from '../server/video/lip-sync/musetalk/convert/convert.ts';
import type { Sources } from '../server/video/lip-sync/musetalk/convert/converted.ts';

const [sources, into] = process.argv.slice(2);
let shown = '';
const tell = ({ step, done }: { readonly step: string; readonly done: number }) => {
  const line = `${step} ${Math.floor(done * 10) * 10} %`;
  if (line !== shown) process.stderr.write(`${line}\n`);
  shown = line;
};
const made = await convert(JSON.parse(sources!) as Sources, into!, tell, new AbortController().signal);
process.stdout.write(JSON.stringify(made));
