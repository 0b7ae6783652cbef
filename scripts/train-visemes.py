"""Trains the network that tells mouth shapes from sound (src/server/video/lip-sync/visemes/weights.ts).

    python3 scripts/train-visemes.py [folder with speech/utterances.jsonl]

It learns from speech whose phones and their times are known: sentences of this repository's documents spoken by the voices of
flite (Debian's libflite1), and real recordings aligned with their transcripts by PocketSphinx. Both are bent (rate, pitch,
level, colour), put into rooms and noise. Needs the Python packages numpy, soundfile and pocketsphinx. Speakers of the first
twenty LibriSpeech recordings, which the benchmark `lip-sync` measures, are never learned from: with them it reports how well
it does.

The weights in this repository were learned from 201 s of English recordings, none of which is in it: LibriSpeech test-other
(CC BY 4.0), LJ Speech and LibriVox (public domain), test recordings of SpeechBrain and Picovoice (Apache-2.0), PocketSphinx
(BSD) and Moonshine (MIT), and a speech of 1961 (public domain); and from 4,407 s of flite.
"""

import base64
import ctypes
import json
import re
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT.parent / 'shared/data')
OUT = ROOT / 'src/server/video/lip-sync/visemes/weights.ts'
random = np.random.default_rng(7)

# What follows is also in features.ts and classes.ts, and has to stay the same there.
RATE, HOP, WINDOW, SIZE, BANDS = 16_000, 160, 400, 512, 32
OFFSETS = np.array([-8, -6, -4, -3, -2, -1, 0, 1, 2, 3])
QUIETEST, ATTACK, DECAY = -45.0, 0.15, 0.02
CLASSES = {
    'silence': 'SIL PAU',
    'pressed': 'M B P',
    'lip': 'F V',
    'hiss': 'S Z SH ZH CH JH',
    'open': 'AA AE AO AY1 AW1',
    'mid': 'EH EY1 AX AH',
    'spread': 'IY IH EY2 AY2 OY2 Y',
    'round': 'UW UH W OW1 OW2 OY1 AW2',
    'tongue': 'T D N L TH DH K G NG HH',
    'r': 'R ER',
}
HIDDEN = (80, 32)

NAMES = list(CLASSES)
CLASS_OF = {phone: i for i, phones in enumerate(CLASSES.values()) for phone in phones.split()}


def features(samples):
    """One row of bands for every 10 ms, in tens of decibels or so relative to how loud the voice is."""
    frames = len(samples) // HOP
    padded = np.concatenate([np.zeros(WINDOW // 2), samples, np.zeros(WINDOW)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[: frames * HOP : HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(WINDOW) + 0.5) / WINDOW)
    power = np.abs(np.fft.rfft(windows * hann, SIZE)) ** 2 / np.sum(hann**2)
    bands = 10 * np.log10(power @ mel_filters().T + 1e-9)
    loudness = 10 * np.log10(np.mean(windows**2, axis=1) + 1e-9)
    level, levels = QUIETEST, np.empty(frames)
    for i, now in enumerate(loudness):
        level = level + ATTACK * (now - level) if now > level else max(QUIETEST, level - DECAY)
        levels[i] = level
    return np.clip((bands - levels[:, None] + 10) / 20, -3, 2).astype(np.float32)


def mel_filters():
    mel = lambda hertz: 2595 * np.log10(1 + hertz / 700)
    edges = 700 * (10 ** (np.linspace(mel(80), mel(7600), BANDS + 2) / 2595) - 1)
    hertz = np.arange(SIZE // 2 + 1) * RATE / SIZE
    low, mid, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    return np.maximum(0, np.minimum((hertz - low) / (mid - low), (high - hertz) / (high - mid)))


def labels_of(segments, seconds):
    """The class of every 10 ms, of (phone, start, end) in seconds; a diphthong is two vowels."""
    out = np.zeros(int(seconds * 100) + 1, dtype=np.int64)
    for phone, start, end in segments:
        phone = re.sub(r'\d', '', phone.upper())
        parts = [(phone, start, end)]
        if phone in ('AY', 'AW', 'EY', 'OW', 'OY'):
            middle = start + 0.6 * (end - start)
            parts = [(phone + '1', start, middle), (phone + '2', middle, end)]
        for name, begin, stop in parts:
            out[int(np.ceil(begin * 100)) : int(np.ceil(stop * 100))] = CLASS_OF.get(name, 0)
    return out


def synthesised():
    """Sentences of the documents by flite's voices: (samples, labels, speaker)."""
    flite = ctypes.CDLL('libflite.so.1', mode=ctypes.RTLD_GLOBAL)
    for part in ('cmulex', 'usenglish'):
        ctypes.CDLL(f'libflite_{part}.so.1', mode=ctypes.RTLD_GLOBAL)
    pointer, text, real = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_float
    for name, result, *arguments in [
        ('flite_synth_text', pointer, text, pointer), ('utt_wave', pointer, pointer), ('delete_utterance', None, pointer),
        ('utt_relation', pointer, pointer, text), ('relation_head', pointer, pointer), ('item_next', pointer, pointer),
        ('item_feat_string', text, pointer, text), ('item_feat_float', real, pointer, text),
    ]:  # fmt: skip
        getattr(flite, name).restype, getattr(flite, name).argtypes = result, arguments
    flite.flite_init()
    prose = re.sub(r'\s+', ' ', ' '.join(path.read_text() for path in sorted((ROOT / 'docs').glob('*.md'))))
    sentences = re.findall(r"(?<=[.:;] )[A-Za-z][A-Za-z ,'-]{25,110}[.;:]", prose)
    # Documents are poor in sounds; any words in a row are not.
    words = sorted({word for word in dictionary() if re.fullmatch('[a-z]{3,}', word)})
    sentences += [' '.join(random.choice(words, 7)) for _ in range(400)]
    random.shuffle(sentences)
    out = []
    for number, voice in enumerate(['awb', 'rms', 'kal16', 'slt']):
        library = ctypes.CDLL(f'libflite_cmu_us_{voice}.so.1', mode=ctypes.RTLD_GLOBAL)
        register = getattr(library, f'register_cmu_us_{voice}')
        register.restype = pointer
        handle = register(None)
        for sentence in sentences[number::4] + sentences[(number + 1) % 4 :: 4]:
            utterance = flite.flite_synth_text(sentence.encode(), handle)
            wave = flite.utt_wave(utterance)
            count = ctypes.cast(wave + 12, ctypes.POINTER(ctypes.c_int))[0]
            samples = ctypes.cast(wave + 24, ctypes.POINTER(ctypes.POINTER(ctypes.c_short)))[0]
            sound = np.ctypeslib.as_array(samples, (count,)).astype(np.float32) / 32768
            item, start, segments = flite.relation_head(flite.utt_relation(utterance, b'Segment')), 0.0, []
            while item:
                end = flite.item_feat_float(item, b'end')
                segments.append((flite.item_feat_string(item, b'name').decode(), start, end))
                item, start = flite.item_next(item), end
            flite.delete_utterance(utterance)
            out.append((sound, labels_of(segments, count / RATE), f'flite-{voice}'))
    return out


def dictionary():
    import pocketsphinx

    path = Path(pocketsphinx.get_model_path()) / 'en-us/cmudict-en-us.dict'
    return [line.split(' ')[0] for line in path.read_text().splitlines()]


def recorded():
    """English recordings, aligned: (samples, labels, speaker)."""
    import pocketsphinx
    import soundfile

    entries = [json.loads(line) for line in (DATA / 'speech/utterances.jsonl').read_text().splitlines() if line]
    decoder = pocketsphinx.Decoder(loglevel='FATAL')
    out = []
    for entry in entries:
        path = DATA / entry['file']
        if entry['lang'] != 'en' or not entry['exact'] or path.suffix not in ('.flac', '.wav'):
            continue
        sound, rate = soundfile.read(path, dtype='float32', always_2d=True)
        sound = bent(sound.mean(axis=1), rate / RATE)
        words = [word for word in re.findall(r"[a-z']+", entry['text'].lower())]
        if any(decoder.lookup_word(word) is None for word in words):
            continue
        pcm = (np.clip(sound, -1, 1) * 32767).astype('<i2').tobytes()
        try:
            decoder.set_align_text(' '.join(words))
            for find in ('words', 'phones'):
                decoder.start_utt()
                decoder.process_raw(pcm, full_utt=True)
                decoder.end_utt()
                if find == 'words':
                    decoder.set_alignment()
            # The library's frame k lies around 10 k + 12.8 ms.
            segments = [
                (phone.name, phone.start / 100 + 0.01, (phone.start + phone.duration) / 100 + 0.01)
                for word in decoder.get_alignment()
                for phone in word
            ]
        except RuntimeError:
            continue
        where = entry['file'].split('/')[1]
        speaker = re.split('[-_]', entry['id'])[0] if where.startswith(('libri', 'speechbrain')) else where
        out.append((sound, labels_of(segments, len(sound) / RATE), f'{where}-{speaker}'))
    return out


def bent(samples, factor):
    """Played `factor` times as fast."""
    if factor == 1:
        return samples
    if factor > 1:  # Not to fold down what lies above the new half rate.
        taps = np.sinc(np.arange(-32, 33) / factor) * np.hamming(65)
        samples = np.convolve(samples, taps / taps.sum(), 'same')
    return np.interp(np.arange(0, len(samples) - 1, factor), np.arange(len(samples)), samples).astype(np.float32)


def disturbed(samples, labels):
    """The same at another rate and pitch, in a room, with noise, another colour and level."""
    factor = random.uniform(0.82, 1.2)
    samples = bent(samples, factor)
    labels = labels[np.minimum(len(labels) - 1, np.round(np.arange(len(samples) // HOP) * factor).astype(int))]
    lead = random.integers(10, 60)
    samples = np.concatenate([np.zeros(lead * HOP, np.float32), samples, np.zeros(40 * HOP, np.float32)])
    labels = np.concatenate([np.zeros(lead, np.int64), labels, np.zeros(41, np.int64)])[: len(samples) // HOP]
    if random.random() < 0.4:
        length = int(RATE * random.uniform(0.05, 0.25))
        echo = random.normal(size=length) * np.exp(-6.9 * np.arange(length) / length) * random.uniform(0.01, 0.06)
        echo[0] = 1
        samples = np.fft.irfft(np.fft.rfft(samples, 2**19) * np.fft.rfft(echo, 2**19))[: len(samples)]
    spectrum = np.fft.rfft(samples)
    hertz = np.linspace(0, RATE / 2, len(spectrum))
    spectrum *= 10 ** (random.uniform(-6, 6) * np.log2((hertz + 200) / 1000) / 4 / 20)
    samples = np.fft.irfft(spectrum, len(samples))
    loud = np.sqrt(np.mean(samples**2))
    if random.random() < 0.7:
        noise = np.fft.rfft(random.normal(size=len(samples)))
        noise *= (hertz + 50) ** random.uniform(-1, 0)
        noise = np.fft.irfft(noise, len(samples))
        samples = samples + noise * loud / noise.std() * 10 ** (-random.uniform(15, 50) / 20)
    samples = samples * 10 ** (random.uniform(-38, -14) / 20) / loud
    return np.clip(samples, -1, 1), labels


def dataset(material):
    rows = [(features(samples), labels) for samples, labels in material]
    bands, labels, index = [], [], []
    at = 0
    for row, label in rows:
        count = min(len(row), len(label)) - 4
        index.append(at + np.arange(count))
        # What a window would see before the beginning and beyond the end.
        bands.append(np.concatenate([np.full((8, BANDS), -3, np.float32), row]))
        labels.append(label[:count])
        at += 8 + len(row)
    return np.concatenate(bands), np.concatenate(index) + 8, np.concatenate(labels)


def inputs(bands, at):
    return bands[at[:, None] + OFFSETS].reshape(len(at), -1)


def forward(layers, x):
    seen = [x]
    for i, (weight, bias) in enumerate(layers):
        x = x @ weight + bias
        if i < len(layers) - 1:
            x = np.maximum(0, x)
        seen.append(x)
    x = np.exp(x - x.max(axis=1, keepdims=True))
    return seen, x / x.sum(axis=1, keepdims=True)


def trained(bands, index, labels, epochs=14, batch=512):
    sizes = [BANDS * len(OFFSETS), *HIDDEN, len(NAMES)]
    layers = [
        [random.normal(0, np.sqrt(2 / a), (a, b)).astype(np.float32), np.zeros(b, np.float32)]
        for a, b in zip(sizes, sizes[1:])
    ]
    flat = [part for layer in layers for part in layer]
    first, second = [np.zeros_like(p) for p in flat], [np.zeros_like(p) for p in flat]
    balance = (np.bincount(labels, minlength=len(NAMES)) / len(labels)) ** -0.5
    balance /= np.mean(balance[labels])
    step, steps = 0, epochs * (len(index) // batch)
    for epoch in range(epochs):
        order = random.permutation(len(index))
        total = 0.0
        for start in range(0, len(order) - batch + 1, batch):
            chosen = order[start : start + batch]
            seen, chance = forward(layers, inputs(bands, index[chosen]))
            truth = labels[chosen]
            total -= np.mean(np.log(chance[np.arange(batch), truth] + 1e-9))
            error = chance
            error[np.arange(batch), truth] -= 1
            error *= balance[truth][:, None] / batch
            gradients = []
            for i in reversed(range(len(layers))):
                gradients[:0] = [seen[i].T @ error, error.sum(axis=0)]
                if i > 0:
                    error = (error @ layers[i][0].T) * (seen[i] > 0)
            step += 1
            rate = 2e-3 * 0.5 * (1 + np.cos(np.pi * step / steps))
            for p, g, m, v in zip(flat, gradients, first, second):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                p -= rate * ((m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8) + 1e-3 * p)
        print(f'epoch {epoch + 1}: loss {total / (len(order) // batch):.3f}', flush=True)
    return layers


def quantised(layers):
    out = []
    for weight, bias in layers:
        scale = np.abs(weight).max() / 127
        out.append((np.round(weight / scale).astype(np.int8), np.float32(scale), bias))
    return out


def report(layers, name, material):
    bands, index, labels = dataset(material)
    _, chance = forward(layers, inputs(bands, index))
    guess = chance.argmax(axis=1)
    print(f'{name}: {np.mean(guess == labels) * 100:.1f} % of {len(labels)} frames')
    for i, label in enumerate(NAMES):
        mine = labels == i
        top = np.bincount(guess[mine], minlength=len(NAMES)).argsort()[::-1][:3]
        often = ', '.join(f'{NAMES[t]} {np.mean(guess[mine] == t) * 100:.0f}' for t in top)
        print(f'  {label:8} {np.mean(guess[mine] == i) * 100:5.1f} % of {mine.sum():5} ({often})')


def write(layers):
    body = ''
    for weight, scale, bias in layers:
        text = base64.b64encode(weight.T.tobytes()).decode()
        lines = '\n'.join(f"      '{text[i : i + 110]}'," for i in range(0, len(text), 110))
        numbers = ', '.join(f'{b:.4f}'.rstrip('0').rstrip('.') for b in bias)
        body += f'  {{\n    scale: {scale:.8f},\n    bias: [{numbers}],\n    weights: [\n{lines}\n    ],\n  }},\n'
    OUT.write_text(
        '// Written by scripts/train-visemes.py, which says what it learned from. Do not edit.\n\n'
        '/** The layers of the network: for each output one row of signed bytes, in base64, times `scale`; and its bias. */\n'
        f'export const LAYERS = [\n{body}] as const;\n'
    )


if __name__ == '__main__':
    real = recorded()
    held = sorted({speaker for _, _, speaker in real if speaker.startswith('librispeech')})[:5]
    print(f'held out: {held}; {len(real)} recordings aligned')
    learn = [(s, l) for s, l, speaker in real if speaker not in held]
    test = [(s, l) for s, l, speaker in real if speaker in held]
    made = [(s, l) for s, l, _ in synthesised()]
    print(f'{sum(len(s) for s, _ in learn) / RATE:.0f} s of recordings, {sum(len(s) for s, _ in made) / RATE:.0f} s of flite')
    material = [disturbed(s, l) for s, l in made]
    material += [disturbed(s, l) for s, l in learn for _ in range(14)]
    layers = trained(*dataset(material))
    small = quantised(layers)
    real_layers = [[w.astype(np.float32) * s, b] for w, s, b in small]
    report(real_layers, 'held-out speakers', test)
    write(small)
