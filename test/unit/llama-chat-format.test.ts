import { describe, expect, it } from 'vitest';
import { CHATML_TEMPLATE, STRICT_TEMPLATE, THINKING_TEMPLATE } from '../../src/bench/tiny-models/chat-templates.ts';
import { CHATML, readFormat } from '../../src/server/engines/llama/chat-format.ts';
import { notInstalled } from '../fixtures/installed.ts';

const missing = notInstalled('@huggingface/jinja');
const jinja = missing ? undefined : await import('@huggingface/jinja');

const format = (template: string, thinking = false) =>
  readFormat(
    (messages, variables) =>
      new jinja!.Template(template).render({
        ...variables,
        messages: [...messages],
        bos_token: '<s>',
        eos_token: '</s>',
      }),
    thinking,
  );

/** Looks for the last question from the end, as Qwen3's does, and for today's date, as Llama 3's does. */
const SEARCHING = `{%- set today = strftime_now('%d %b %Y') %}
{%- set ns = namespace(searching=true, last=messages|length - 1) %}
{%- for message in messages[::-1] %}
{%- set index = (messages|length - 1) - loop.index0 %}
{%- if ns.searching and message.role == 'user' and message.content is string and not message.content.startswith('<tool_response>') %}
{%- set ns.searching = false %}{%- set ns.last = index %}{%- endif %}{%- endfor %}
{{- bos_token + '[date]' + today }}
{%- for message in messages %}
{{- '[' + message['role'] + ']' }}
{%- if message.role == 'assistant' and loop.index0 > ns.last %}{{- '<think>now</think>' }}{%- endif %}
{{- message.content | trim + '[end]' }}{%- endfor %}
{%- if add_generation_prompt %}{{- '[assistant]' }}{%- endif %}`;

describe.skipIf(missing)(`a chat format read off a model's template${missing ?? ''}`, () => {
  it('is what stands between the messages', () => {
    expect(format(CHATML_TEMPLATE)).toEqual(CHATML);
  });

  it('has an empty thought before each reply when none is wanted, so that the past never has to be written anew', () => {
    expect(format(THINKING_TEMPLATE)?.beforeReply).toMatch(/assistant\n<think>\n\n<\/think>\n\n$/);
    expect(format(THINKING_TEMPLATE, true)?.beforeReply).toMatch(/assistant\n$/);
  });

  it('closes a thought that the template opens, unless thoughts are wanted', () => {
    const opening = CHATML_TEMPLATE.replace("assistant\\n' }}{%- endif", "assistant\\n<think>\\n' }}{%- endif");
    expect(format(opening)?.beforeReply).toMatch(/<think>\n\n<\/think>\n\n$/);
    expect(format(opening, true)?.beforeReply).toMatch(/<think>\n$/);
  });

  it('has no place for a system message where the template refuses one', () => {
    expect(format(STRICT_TEMPLATE)).toEqual({ ...CHATML, system: undefined });
  });

  it("has none either where the system's message moves along with the newest question", () => {
    const moving = `{%- for message in messages %}{%- if message.role == 'user' %}
{{- '[INST]' }}{%- if loop.last and messages[0].role == 'system' %}{{- messages[0].content }}{%- endif %}
{{- message.content + '[/INST]' }}{%- elif message.role == 'assistant' %}{{- message.content + eos_token }}{%- endif %}{%- endfor %}`;
    expect(format(moving)).toEqual({
      system: undefined,
      begin: '[INST]',
      beforeReply: '[/INST]',
      afterReply: '</s>[INST]',
      stops: [],
    });
  });

  it('is found in templates that look for the last question or the date', () => {
    expect(format(SEARCHING)).toMatchObject({
      begin: expect.stringMatching(/^<s>\[date\].+\[user\]$/),
      beforeReply: '[end][assistant]',
      afterReply: '[end][user]',
    });
  });

  it.each([
    ['that fails', '{{ raise_exception("no") }}'],
    ['that is no template', '{% if %}'],
    ['that shows no messages', 'hello'],
    ['that counts', "{% for message in messages %}{{ loop.index ~ message.role ~ ':' ~ message.content }}{% endfor %}"],
  ])('is none for a template %s', (_, template) => {
    expect(format(template)).toBeUndefined();
  });
});
