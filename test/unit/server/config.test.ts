import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError, parseConfig, readConfig } from '../../../src/server/config.ts';

const mistakesOf = (yaml: string): string[] => {
  try {
    parseConfig(yaml);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message.split('\n');
  }
  return [];
};

describe('the configuration', () => {
  const shipped = readFileSync('config.yml', 'utf8');

  it('comes with a file that says the defaults', () => {
    expect(parseConfig(shipped)).toEqual(parseConfig(''));
  });

  it('comments on every setting in that file', () => {
    const lines = shipped.split('\n');
    let commented = false;
    for (const [i, line] of lines.entries()) {
      if (/^\s*#/.test(line)) commented = true;
      else if (line.trim() === '') commented = false;
      else if (/^\s+\w+:/.test(line)) {
        const inGroup =
          commented || /^\s+(cert|key|sessionMinutes|idle|listening|thinking|speaking|reply|negative):/.test(line);
        expect(inGroup, `line ${i + 1} of config.yml (${line.trim()}) has no comment above it`).toBe(true);
        commented = false;
      }
    }
  });

  it('says each of ten mistakes in a sentence with path, value and fix', () => {
    const mistakes = mistakesOf(`
server:
  prot: 1
  port: 80a
log: debug
vad:
  engine: silero
  confirmMs: -3
asr:
  engine: wisper
llm:
  baseUrl: http://x/v1
tts:
  speed: 9
limits:
  sessions: 1.5
turn: [1]
sever:
  host: x
speech:
  leadMs: yes please
`);
    expect(mistakes).toHaveLength(11);
    for (const sentence of [
      'config.yml: server.prot (1) is not a setting; did you mean server.port?',
      'config.yml: server.port is "80a", but must be a whole number from 0 to 65535.',
      'config.yml: log is "debug", but must hold settings, one per line.',
      'config.yml: vad.confirmMs is -3, but must be a whole number from 0 to 2000 milliseconds.',
      'config.yml: asr.engine is "wisper", but must be one of auto, off, pocketsphinx, sherpa, whisper, openai, scripted.',
      'config.yml: llm.baseUrl ("http://x/v1") is not a setting; it belongs to llm.engine: openai.',
      'config.yml: tts.speed is 9, but must be a number from 0.5 to 2.',
      'config.yml: limits.sessions is 1.5, but must be a whole number from 1 to 10000.',
      'config.yml: turn is [1], but must hold settings, one per line.',
      'config.yml: sever ({"host":"x"}) is not a setting; did you mean server?',
      'config.yml: speech.leadMs is "yes please", but must be a whole number from 200 to 60000 milliseconds.',
    ]) {
      expect(mistakes).toContain(sentence);
    }
  });

  it('names the setting that an engine lacks', () => {
    expect(mistakesOf('llm:\n  engine: openai')).toEqual([
      'config.yml: llm.baseUrl is missing; it must be an address that begins with http:// or https://, such as http://127.0.0.1:11434/v1.',
    ]);
  });

  it('says how an engine is named, where only its name was written', () => {
    expect(mistakesOf('video:\n  baseClips: wan22\n  lipSync: nothing\nasr: []')).toEqual([
      'config.yml: asr is [], but must hold settings, such as "engine: auto".',
      'config.yml: video.baseClips is "wan22", but must hold settings, such as "engine: wan22".',
      'config.yml: video.lipSync is "nothing", but must hold settings, such as "engine: auto".',
    ]);
  });

  it('refuses to be reached from outside without token and TLS', () => {
    expect(mistakesOf('server:\n  host: 0.0.0.0').join()).toMatch(/set server.token .* and server.tls.cert/);
    const outside = 'server:\n  host: 0.0.0.0\n  token: 0123456789abcdef\n  tls: {cert: a.pem, key: b.pem}';
    expect(mistakesOf(outside)).toEqual([]);
    expect(mistakesOf(outside.replace('0123456789abcdef', 'short')).join()).toMatch(/too short/);
    expect(mistakesOf('server:\n  tls: {cert: a.pem}').join()).toMatch(/key is missing/);
  });

  it('refuses broken YAML, a list, and thresholds in the wrong order', () => {
    expect(mistakesOf('server: {').join()).toMatch(/not valid YAML/);
    expect(mistakesOf('- a').join()).toMatch(/must hold settings/);
    expect(mistakesOf('vad: {pauseThreshold: 0.9}').join()).toMatch(/must not be above vad.speechThreshold/);
  });

  it('says which file is missing', () => {
    expect(() => readConfig('/nowhere/config.yml')).toThrow(
      'The config file /nowhere/config.yml does not exist; name another with --config FILE.',
    );
  });
});
