import { z } from 'zod';
import { nearest } from './nearest.ts';

type Issue = z.core.$ZodIssue;

/** One sentence per mistake that zod found: the path, the value, and what to write instead. */
export function explainIssue(issue: Issue, config: unknown, schema: z.ZodType): string[] {
  const path = issue.path.join('.');
  const value = issue.path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
    config,
  );
  if (issue.code === 'unrecognized_keys') {
    const engines = optionsAt(schema, issue.path);
    const known = keysAt(schema, issue.path, config);
    return issue.keys.map((key) => {
      const full = [...issue.path, key].join('.');
      const shown = JSON.stringify((value as Record<string, unknown>)[key]);
      const owners = engines.filter((engine) => engine.keys.includes(key)).map(({ engine }) => engine);
      const near = nearest(key, known);
      const fix =
        owners.length > 0
          ? `it belongs to ${path}.engine: ${owners.join(' or ')}`
          : near
            ? `did you mean ${[...issue.path, near].join('.')}?`
            : `known here: ${known.join(', ')}`;
      return `${full} (${shown}) is not a setting; ${fix}`.replace(/([^?])$/, '$1.');
    });
  }
  if (issue.code === 'invalid_union') {
    const stage = issue.path.at(-1) === 'engine' ? issue.path.slice(0, -1) : issue.path;
    const names = optionsAt(schema, stage).map((option) => option.engine);
    if (stage === issue.path) return [`${path} is ${show(value)}, but must hold settings, such as "engine: auto".`];
    return [`${path} is ${show(value)}, but must be one of ${names.join(', ')}.`];
  }
  if (issue.code === 'invalid_type' && optionsAt(schema, issue.path).length > 0) {
    const example = optionsAt(schema, issue.path).find(({ engine }) => engine === value)?.engine ?? 'auto';
    return [`${path} is ${show(value)}, but must hold settings, such as "engine: ${example}".`];
  }
  if (value === undefined) return [`${path} is missing; it ${issue.message}.`];
  return [`${path} is ${show(value)}, but ${issue.message}.`];
}

const show = (value: unknown): string => {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 80 ? `${json.slice(0, 77)}...` : json;
};

/** The schema at a path, defaults unwrapped. */
function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType {
  let at = unwrap(schema);
  for (const key of path) {
    const next = at instanceof z.ZodObject ? (at.shape as Record<PropertyKey, z.ZodType>)[key] : undefined;
    if (!next) return at;
    at = unwrap(next);
  }
  return at;
}

const unwrap = (schema: z.ZodType): z.ZodType =>
  schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault ? unwrap(schema.unwrap() as z.ZodType) : schema;

function optionsAt(schema: z.ZodType, path: readonly PropertyKey[]): { engine: string; keys: string[] }[] {
  const at = schemaAt(schema, path);
  if (!(at instanceof z.ZodDiscriminatedUnion)) return [];
  return (at.options as z.ZodObject[]).map((option) => ({
    engine: String((option.shape.engine as z.ZodLiteral).value),
    keys: Object.keys(option.shape),
  }));
}

function keysAt(schema: z.ZodType, path: readonly PropertyKey[], config: unknown): string[] {
  const at = schemaAt(schema, path);
  if (at instanceof z.ZodObject) return Object.keys(at.shape);
  const engine = path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)[key], config);
  return (
    optionsAt(schema, path).find((option) => option.engine === (engine as Record<string, unknown>).engine)?.keys ?? []
  );
}
