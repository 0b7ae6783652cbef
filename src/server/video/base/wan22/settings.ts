/** The settings of `video.baseClips` with `engine: wan22`, as config.yml explains them. */
export type Wan22Settings = {
  readonly python: string;
  readonly preset: 'auto' | PresetName;
  readonly weights: 'auto' | Weights;
  readonly baseModel: string;
  readonly highNoise: string;
  readonly lowNoise: string;
  readonly frames: number;
  readonly steps: readonly number[];
  readonly boundaryStep: number;
  readonly loras: readonly LoraSettings[];
  readonly port: number;
  readonly startMinutes: number;
};

/** A LoRA for one of the two experts. */
export type LoraSettings = {
  readonly target: 'high_noise' | 'low_noise';
  readonly path: string;
  readonly strength: number;
};

/** How LightX2V is set up for a generation of cards. */
export type PresetName = 'sm120' | 'sm90' | 'sm89' | 'sm86' | 'floor';
/** How an expert's weights are stored. */
export type Weights = 'fp8' | 'int8' | 'bf16';

/** What LightX2V is asked for: a video between two pictures, or one that goes on from a picture. */
export type Wan22Task = 'flf2v' | 'i2v';

/** Where the models lie on this disk. */
export type Wan22Files = {
  /** Folder with text encoder, tokenizer, image coder and both experts' `config.json`. */
  readonly base: string;
  readonly highNoise: string;
  readonly lowNoise: string;
};

/** What must be known of the machine; the server's own probe says more. */
export type Wan22Machine = {
  readonly gpus: readonly {
    readonly maker: string;
    readonly name: string;
    /** 12 is SM120, 8.9 is SM89. */
    readonly computeCapability?: number;
    readonly freeBytes: number;
  }[];
  readonly memory: { readonly availableBytes: number };
};
