import { OnnxGraph, onnxModel } from '../../server/onnx/graph.ts';
import { apply, f32, i64, matrix, mostly, reduced, tokensText, writeFiles } from './asr-tensors.ts';

const TOKENS = ['<unk>', '<|en|>', '<|zh|>', '<|NEUTRAL|>', '<|Speech|>', '<|withitn|>', '▁loud', '▁quiet', '大'];
const [EN, ZH, NEUTRAL, SPEECH, WITH_ITN, LOUD, QUIET, BIG] = [1, 2, 3, 4, 5, 6, 7, 8];
const N = TOKENS.length;
const FEATURES = 560;
/** The mean log energy (of samples as 16-bit numbers) above which a sound is loud. */
const LIMIT = 10;
const LANG_ZH = 3;

/** A SenseVoice with the tensors and metadata of the exported one. It writes `loud` and `quiet`; where it is told Chinese, 大. */
export function writeTinySenseVoice(folder: string) {
  return writeFiles(folder, { model: ['model.onnx', model()], tokens: ['tokens.txt', tokensText(TOKENS)] });
}

function model(): Uint8Array {
  const graph = new OnnxGraph();
  const x = graph.input('x', 'f32', ['N', 'T', FEATURES]);
  const length = graph.input('x_length', 'i32', ['N']);
  const language = graph.input('language', 'i32', ['N']);
  const textNorm = graph.input('text_norm', 'i32', ['N']);
  const energy = reduced(graph, 'ReduceMean', x, 2);
  const zh = apply(graph, 'Equal', language, [{ type: 'i32', dims: [1], data: [LANG_ZH] }]);
  const isZh = apply(graph, 'Reshape', graph.node('Cast', [zh], { attributes: { to: { int: 1 } } }), [i64(1, 1, 1)]);
  const flags = graph.node('Add', [apply(graph, 'Mul', energy, [f32([], [0])]), isZh]);
  const known = graph.node('Concat', [energy, flags], { attributes: { axis: { int: 2 } } });
  const weights = matrix(
    mostly(N, 0, { [LOUD]: 1, [QUIET]: -1, [BIG]: 1 }),
    mostly(N, 0, { [LOUD]: -100, [BIG]: 100 }),
  );
  const bias = mostly(N, -1000, { [LOUD]: -LIMIT, [QUIET]: LIMIT, [BIG]: -LIMIT - 100 });
  const frames = apply(graph, 'Add', apply(graph, 'MatMul', known, [weights]), [f32([N], bias)]);
  const tag = (token: number) => mostly(N, -1000, { [token]: 1 });
  const inLanguage = apply(graph, 'MatMul', isZh, [matrix(mostly(N, 0, { [EN]: -2000, [ZH]: 2000 }))]);
  const first = apply(graph, 'Add', inLanguage, [f32([1, 1, N], mostly(N, -3000, { [EN]: 1, [ZH]: -1 }))]);
  const others = graph.constant(f32([1, 3, N], [NEUTRAL, SPEECH, WITH_ITN].flatMap(tag)));
  const lengths = graph.node('Cast', [graph.node('Add', [length, textNorm])], { attributes: { to: { int: 1 } } });
  const nothing = apply(graph, 'Reshape', apply(graph, 'Mul', lengths, [f32([1], [0])]), [i64(1, 1, 1)]);
  const logits = graph.node('Concat', [first, others, frames], { attributes: { axis: { int: 1 } } });
  graph.node('Add', [logits, nothing], { outputs: ['logits'] });
  graph.output('logits', 'f32', ['N', 'T4', N]);
  return onnxModel(graph, {
    metadata: {
      model_type: 'sense_voice_ctc',
      comment: 'iic/SenseVoiceSmall',
      vocab_size: N,
      lfr_window_size: 7,
      lfr_window_shift: 6,
      normalize_samples: 0,
      with_itn: 14,
      without_itn: 15,
      lang_auto: 0,
      lang_zh: LANG_ZH,
      lang_en: 4,
      lang_yue: 7,
      lang_ja: 11,
      lang_ko: 12,
      neg_mean: new Array(FEATURES).fill(0).join(','),
      inv_stddev: new Array(FEATURES).fill(1).join(','),
    },
  });
}
