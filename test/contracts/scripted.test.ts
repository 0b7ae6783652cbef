import { createTts, createVad } from '../../src/server/engines/scripted.ts';
import { ttsSuite } from './tts-suite.ts';
import { vadSuite } from './vad-suite.ts';

vadSuite('scripted', () => createVad());
ttsSuite('scripted', () => createTts());
