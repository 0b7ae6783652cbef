/** A graphics processor that computes; software renderers such as llvmpipe are none. */
export type Gpu = {
  readonly maker: 'nvidia' | 'amd' | 'apple';
  readonly name: string;
  /** Of NVIDIA's: 12 is SM120, 8.9 is SM89. */
  readonly computeCapability?: number;
  /** Of Apple's: a share of the machine's own memory. */
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly driver?: string;
};

/** What was found out about a machine; plain JSON, so that one machine's can be recorded and planned for on another. */
export type Probe = {
  readonly platform: string;
  readonly arch: string;
  readonly node: string;
  readonly root: boolean;
  readonly cpu: {
    readonly model: string;
    /** Physical cores, no more than this process may use. */
    readonly cores: number;
    readonly threads: number;
    readonly avx: boolean;
    readonly avx2: boolean;
    readonly avx512: boolean;
  };
  /** Within the limits of the container, if there is one. */
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number };
  readonly gpus: readonly Gpu[];
  /** Why nothing could be learnt of an NVIDIA card that may be there: one sentence. */
  readonly gpuProblem?: string;
  readonly cuda: {
    /** The newest CUDA that the driver knows, such as `12.8`. */
    readonly driver?: string;
    /** Major versions of which both libcudart and libcublas are installed. */
    readonly runtimes: readonly number[];
    /** The major version of cuDNN, if it is installed. */
    readonly cudnn?: number;
  };
  /** Libraries that engines on a card need besides, and that are not installed, such as `libnccl.so.2`. */
  readonly lacking?: readonly string[];
  readonly vulkan: {
    /** Whether programs find the Vulkan library. */
    readonly loader: boolean;
    /** Installed drivers, named as their files are, such as `nvidia_icd` or `lvp_icd.x86_64`. */
    readonly drivers: readonly string[];
  };
  /** The version of ffmpeg; undefined where there is none. */
  readonly ffmpeg?: string;
  /** Of the disk that holds the models. */
  readonly disk: { readonly folder: string; readonly freeBytes: number };
  /** Whether the model hub answered; undefined where nobody asked. */
  readonly hub?: boolean;
};

/** Whether a Vulkan driver computes on the processor (llvmpipe, lavapipe, SwiftShader), which is slower than none. */
export const isSoftwareVulkan = (driver: string): boolean => /lvp|llvmpipe|lavapipe|swiftshader|swrast/i.test(driver);
