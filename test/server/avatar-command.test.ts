import { spawnSync } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { avatarCommand } from '../../src/server/avatar-command.ts';
import { ConfigError, parseConfig } from '../../src/server/config.ts';
import { VideoError } from '../../src/server/video/contracts.ts';
import { cutSquare } from '../../src/server/video/pictures/cut-square.ts';
import { writePng } from '../../src/server/video/pictures/png.ts';
import { readPicture } from '../../src/server/video/pictures/read-picture.ts';

const PRESETS = new URL('../../src/server/video/avatars/presets/', import.meta.url);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'avatar-command-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function run(args: string[], more: { json?: boolean; name?: string; crop?: string } = {}) {
  let [output, screen] = ['', ''];
  const code = await avatarCommand(
    args,
    {
      config: parseConfig(JSON.stringify({ cache: { folder } })),
      json: more.json ?? false,
      name: more.name,
      crop: more.crop,
      output: { write: (text: string) => (output += text) },
      screen: { write: (text: string) => (screen += text) },
    },
    new AbortController().signal,
  );
  return { code, output, screen };
}

const preset = async (name: string) => readPicture(await readFile(new URL(`${name}.png`, PRESETS)));

/** A photo with these presets side by side. */
async function photo(...names: string[]): Promise<string> {
  const pictures = await Promise.all(names.map(preset));
  const rgb = new Uint8Array(3 * 512 * 512 * names.length);
  for (let row = 0; row < 512; row++) {
    for (const [i, picture] of pictures.entries()) {
      rgb.set(picture.rgb.subarray(1536 * row, 1536 * (row + 1)), 1536 * (row * names.length + i));
    }
  }
  const file = join(folder, `${names.join('-')}.png`);
  await writeFile(file, await writePng({ width: 512 * names.length, height: 512, rgb }));
  return file;
}

/** The numbers in a line that offers a part. */
const cropsIn = (screen: string) => [...screen.matchAll(/--crop ([\d.,]+)/g)].map((match) => match[1]!);

describe('voice-chat avatar', () => {
  it('lists the faces and marks the one that is shown', async () => {
    const { code, output } = await run([]);
    expect(code).toBe(0);
    expect(output).toMatch(/^\* [0-9a-f]{16} {2}Mara\n {2}[0-9a-f]{16} {2}Elias\n/);
    const { avatars } = JSON.parse((await run(['list'], { json: true })).output);
    expect(avatars[0]).toMatchObject({ name: 'Mara', preset: true, current: true });
  });

  it('adds a photo, chooses another face, and removes it again', async () => {
    const picture = cutSquare(await preset('zola'), 0, 0, 512, 640);
    await writeFile(join(folder, 'my aunt.png'), await writePng(picture));
    const added = await run(['add', join(folder, 'my aunt.png')], { json: true });
    expect(added.code).toBe(0);
    const { id, name, picture: file } = JSON.parse(added.output);
    expect(name).toBe('my aunt');
    expect(await readPicture(await readFile(file))).toMatchObject({ width: 512, height: 512 });
    expect((await run([])).output).toContain(`* ${id}  my aunt (yours)`);
    expect((await run(['use', 'jun'])).output).toMatch(/^Jun \([0-9a-f]{16}\) is the face from the next start on\n$/);
    expect((await run(['remove', id])).output).toMatch(/is removed; the face is Jun/);
    expect((await run([])).output).not.toContain(id);
  });

  it('offers the part of each face of a picture with several', async () => {
    const file = await photo('jun', 'zola');
    const { code, output, screen } = await run(['add', file]);
    expect([code, output]).toEqual([1, '']);
    expect(screen).toMatch(/^There are 2 faces in the picture; choose the part/);
    const crops = cropsIn(screen);
    expect(crops).toHaveLength(2);
    for (const [i, crop] of crops.entries()) {
      expect((await run(['add', file], { crop, name: `No ${i}` })).code).toBe(0);
    }
    expect((await run([])).output).toContain('No 1 (yours)');
  });

  it('offers them so that a shell takes them as they are', async () => {
    const file = join(folder, "Me & Ann's photo.png");
    await copyFile(await photo('jun', 'zola'), file);
    const { screen } = await run(['add', file]);
    const [command] = /voice-chat avatar add .*$/m.exec(screen)!;
    const { stdout } = spawnSync('sh', ['-c', command.replace('voice-chat', 'printf "%s\\n"')], { encoding: 'utf8' });
    expect(stdout.split('\n').slice(0, 4)).toEqual(['avatar', 'add', file, '--crop']);
  });

  it('says what is wrong with a picture', async () => {
    const none = join(folder, 'none.png');
    await writeFile(none, await writePng({ width: 200, height: 200, rgb: new Uint8Array(120_000).fill(90) }));
    const { code, screen } = await run(['add', none]);
    expect(code).toBe(1);
    expect(screen).toMatch(/^No face was found.*\nTake a square with --crop/);
    expect(JSON.parse((await run(['add', none], { json: true })).output)).toMatchObject({
      problem: 'no_face',
      width: 200,
    });
    await expect(run(['add', join(folder, 'nowhere.png')])).rejects.toThrow(VideoError);
    await expect(run(['remove', 'mara'])).rejects.toThrow('Mara comes with voice-chat and cannot be removed.');
    await expect(run(['use', 'nobody'])).rejects.toThrow(/There is no avatar nobody/);
  });

  it('says what is wrong with a command', async () => {
    const wrong: [string[], { name?: string; crop?: string }?][] = [
      [['delete', 'x']],
      [['add']],
      [['remove']],
      [['add', 'a.png', 'b.png']],
      [['list', 'x']],
      [['list'], { name: 'x' }],
    ];
    for (const [args, more] of wrong) await expect(run(args, more)).rejects.toThrow(ConfigError);
    const file = await photo('jun');
    for (const crop of ['1,2', '0,0,0', 'left', '0,0,1.5', '-1,0,1']) {
      await expect(run(['add', file], { crop })).rejects.toThrow(/shares of width, height and width/);
    }
  });
});
