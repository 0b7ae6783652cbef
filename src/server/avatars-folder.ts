import { join } from 'node:path';
import type { Config } from './config.ts';

/** The folder of an `AvatarStore`, for the server and the command line. */
export const avatarsFolder = (config: Config): string => join(config.cache.folder, 'avatars');
