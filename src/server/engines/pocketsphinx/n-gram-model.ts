const START = '<s>';
const END = '</s>';

/** Counts of what follows one history. */
type Followers = { total: number; readonly words: Map<string, number> };

/**
 * A trigram model of `sentences` (words separated by spaces) in the ARPA format, with interpolated Witten–Bell smoothing:
 * P(w|h) = (c(hw) + n(h) P(w|h')) / (c(h) + n(h)), n(h) being how many different words follow h and h' the shorter history
 * (Witten and Bell 1991; Chen and Goodman 1998, 2.3). A sentence given twice counts twice. Throws when there is no word.
 */
export function nGramModel(sentences: Iterable<string>): string {
  const [none, one, two] = count(sentences);
  const vocabulary = [...none.words.keys()];
  if (vocabulary.length < 2) throw new Error('A language model needs at least one sentence with a word.');

  const unigrams = new Map<string, number>();
  const share = (followers: Followers) => followers.words.size / (followers.total + followers.words.size);
  const smoothed = (followers: Followers, word: string, shorter: number) =>
    (followers.words.get(word) ?? 0) / (followers.total + followers.words.size) + share(followers) * shorter;
  for (const word of vocabulary) unigrams.set(word, smoothed(none, word, 1 / vocabulary.length));

  const bigrams = new Map<string, number>();
  const bigramLines: string[] = [];
  for (const [history, followers] of one) {
    for (const word of followers.words.keys()) {
      const probability = smoothed(followers, word, unigrams.get(word)!);
      const text = `${history} ${word}`;
      bigrams.set(text, probability);
      const longer = two.get(text);
      bigramLines.push(line(probability, text, longer && share(longer)));
    }
  }
  const trigramLines: string[] = [];
  for (const [history, followers] of two) {
    const last = history.slice(history.indexOf(' ') + 1);
    for (const word of followers.words.keys()) {
      trigramLines.push(line(smoothed(followers, word, bigrams.get(`${last} ${word}`)!), `${history} ${word}`));
    }
  }
  const backoff = (word: string) => {
    const followers = one.get(word);
    return followers && share(followers);
  };
  // The start is never predicted; the format wants it among the words all the same.
  const unigramLines = [line(1e-99, START, backoff(START))];
  for (const [word, probability] of unigrams) unigramLines.push(line(probability, word, backoff(word)));

  const sections = [unigramLines, bigramLines, trigramLines];
  const counts = sections.map((lines, i) => `ngram ${i + 1}=${lines.length}`).join('\n');
  const body = sections.map((lines, i) => `\\${i + 1}-grams:\n${lines.sort().join('\n')}\n`).join('\n');
  return `\\data\\\n${counts}\n\n${body}\n\\end\\\n`;
}

/** What follows nothing, one word and two words. */
function count(sentences: Iterable<string>): [Followers, Map<string, Followers>, Map<string, Followers>] {
  const none: Followers = { total: 0, words: new Map() };
  const one = new Map<string, Followers>();
  const two = new Map<string, Followers>();
  for (const sentence of sentences) {
    const words = sentence.split(/\s+/).filter(Boolean);
    if (words.length === 0) continue;
    const path = [START, ...words, END];
    for (let i = 1; i < path.length; i++) {
      add(none, path[i]!);
      add(at(one, path[i - 1]!), path[i]!);
      if (i > 1) add(at(two, `${path[i - 2]} ${path[i - 1]}`), path[i]!);
    }
  }
  return [none, one, two];
}

function at(counts: Map<string, Followers>, history: string): Followers {
  let followers = counts.get(history);
  if (!followers) counts.set(history, (followers = { total: 0, words: new Map() }));
  return followers;
}

function add(followers: Followers, word: string): void {
  followers.total += 1;
  followers.words.set(word, (followers.words.get(word) ?? 0) + 1);
}

function line(probability: number, text: string, backoff?: number): string {
  const value = `${Math.log10(probability).toFixed(4)}\t${text}`;
  return backoff === undefined ? value : `${value}\t${Math.log10(backoff).toFixed(4)}`;
}
