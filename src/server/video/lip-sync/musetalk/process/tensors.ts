/** What goes into a graph or comes out of it, row-major. */
export type Values = { readonly dims: readonly number[]; readonly data: Float32Array | Uint8Array };

/** Inputs or outputs by their names. */
export type Tensors = Readonly<Record<string, Values>>;

/** The values of one frame of a batch, without copying them. */
export function ofFrame({ dims, data }: Values, frame: number): Values {
  const size = data.length / dims[0]!;
  return { dims: [1, ...dims.slice(1)], data: data.subarray(frame * size, (frame + 1) * size) };
}

/** One frame's values, repeated to a batch. */
export function repeated({ dims, data }: Values, batch: number): Values {
  const all = data instanceof Uint8Array ? new Uint8Array(batch * data.length) : new Float32Array(batch * data.length);
  for (let frame = 0; frame < batch; frame++) all.set(data, frame * data.length);
  return { dims: [batch, ...dims.slice(1)], data: all };
}
