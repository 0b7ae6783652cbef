import { create } from '../../src/server/engines/flite-tts.ts';
import { ttsSuite } from './tts-suite.ts';

ttsSuite('flite', () => create());
