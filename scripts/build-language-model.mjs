// Makes the language model of the built-in brain from the sentences it understands; runs after the TypeScript compiler.
import { buildLanguageModel } from '../dist/server/engines/pocketsphinx/language-model.js';

await buildLanguageModel();
