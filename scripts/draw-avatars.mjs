// Draws the faces that come with the project, each as an SVG that Chromium renders: its picture (512 x 512) and where its face
// is, into src/server/video/avatars/presets/. Run by hand after a change: node scripts/draw-avatars.mjs [CHROMIUM]
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const FOLDER = new URL('../src/server/video/avatars/presets/', import.meta.url);
const SIZE = 512;
const MIDDLE = 256;

const PEOPLE = [
  {
    id: 'mara',
    name: 'Mara',
    skin: { light: '#fbdcc4', main: '#f1c3a2', shade: '#d99a78', deep: '#a9654a', blush: '#e8806f' },
    lips: { upper: '#bd5c58', lower: '#d27a72', line: '#7e3233', light: '#f3b5a8' },
    eyes: { iris: '#6f8f5f', ring: '#2e4430', inner: '#b9c98f', brow: '#6a3a24', lash: '#33190f' },
    hair: { dark: '#3f1d12', main: '#7a3b22', light: '#c07a48', style: 'wavy' },
    clothes: { light: '#4fa39b', main: '#2c7d78', shade: '#15524f', style: 'knit' },
    ground: { light: '#fdebd9', main: '#f3cfae', shade: '#dca982', glow: '#fff6ea' },
    shape: { jaw: 70, chin: 30, brow: 1, lash: true },
  },
  {
    id: 'zola',
    name: 'Zola',
    skin: { light: '#a86f4b', main: '#87502f', shade: '#5d321c', deep: '#351a0e', blush: '#a8462f' },
    lips: { upper: '#7c3233', lower: '#a04c49', line: '#3c1214', light: '#d6928a' },
    eyes: { iris: '#4a2a16', ring: '#1c0e07', inner: '#80512c', brow: '#1d100b', lash: '#0f0705' },
    hair: { dark: '#120b0a', main: '#2a1a16', light: '#634235', style: 'round' },
    clothes: { light: '#f2bd52', main: '#dd9a2b', shade: '#a76a14', style: 'blouse' },
    ground: { light: '#e3efe2', main: '#b9d3bf', shade: '#86ad94', glow: '#f6fbf3' },
    shape: { jaw: 72, chin: 30, brow: 1.05, lash: true, earrings: '#e9bf5b' },
  },
  {
    id: 'jun',
    name: 'Jun',
    skin: { light: '#fce0c0', main: '#efc59b', shade: '#d39e70', deep: '#9c6842', blush: '#dd8a6a' },
    lips: { upper: '#b8695c', lower: '#cc8676', line: '#7a3d34', light: '#eebcaa' },
    eyes: { iris: '#3c2417', ring: '#170c07', inner: '#714a2d', brow: '#1c1719', lash: '#120d0e' },
    hair: { dark: '#0f0f14', main: '#24242e', light: '#474c60', style: 'short' },
    clothes: { light: '#48618f', main: '#2d4269', shade: '#172643', style: 'shirt' },
    ground: { light: '#e6f0f8', main: '#bcd4e8', shade: '#8aaecb', glow: '#f8fcff' },
    shape: { jaw: 77, chin: 37, brow: 1.25, lash: false },
  },
  {
    id: 'elias',
    name: 'Elias',
    skin: { light: '#f0c9a5', main: '#dba77e', shade: '#b87c55', deep: '#7f4c30', blush: '#c96f55' },
    lips: { upper: '#a85a4f', lower: '#bf776a', line: '#66302b', light: '#e0aa9b' },
    eyes: { iris: '#557f9c', ring: '#233c4f', inner: '#a4c5d6', brow: '#6d6862', lash: '#2c2420' },
    hair: { dark: '#4c4a4a', main: '#8b8987', light: '#dcdad6', style: 'swept' },
    clothes: { light: '#94505a', main: '#6f323d', shade: '#421a22', style: 'knit' },
    ground: { light: '#efe9f2', main: '#cfc4d8', shade: '#a596b3', glow: '#fbf8fd' },
    shape: { jaw: 77, chin: 38, brow: 1.35, lash: false, beard: true, lines: true },
  },
];

/** Where things are on every face, in pixels. */
const EYES = { y: 224, apart: 45 };
const NOSE = 268;
const MOUTH = { y: 299, half: 41 };
const CHIN = 347;

/** The same numbers for the same seed, so that drawing again changes nothing. */
function randomFrom(seed) {
  let state = seed;
  return (from = 0, to = 1) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return from + (((t ^ (t >>> 14)) >>> 0) / 4294967296) * (to - from);
  };
}

const n = (value) => Number(value.toFixed(1));
const at = ([x, y]) => `${n(x)} ${n(y)}`;
const mirror = ([x, y]) => [2 * MIDDLE - x, y];
/** A path through cubic curves: a start, then groups of two handles and an end. */
const path = ([start, ...rest]) => {
  let d = `M${at(start)}`;
  for (let i = 0; i < rest.length; i += 3) d += `C${at(rest[i])} ${at(rest[i + 1])} ${at(rest[i + 2])}`;
  return d;
};
/** Points on such a path, evenly by parameter, both ends included. */
function sample(points, count) {
  const curves = (points.length - 1) / 3;
  return Array.from({ length: count }, (_, i) => {
    const place = (i / (count - 1)) * curves;
    const curve = Math.min(Math.floor(place), curves - 1);
    const t = place - curve;
    const [a, b, c, d] = points.slice(3 * curve, 3 * curve + 4);
    const mix = (k) => a[k] * (1 - t) ** 3 + 3 * b[k] * t * (1 - t) ** 2 + 3 * c[k] * t * t * (1 - t) + d[k] * t ** 3;
    return [mix(0), mix(1)];
  });
}
const both = (draw) => `${draw}<g transform="translate(${2 * MIDDLE} 0) scale(-1 1)">${draw}</g>`;
const fill = (d, colour, extra = '') => `<path d="${d}" fill="${colour}" ${extra}/>`;
const line = (d, colour, width, extra = '') =>
  `<path d="${d}" fill="none" stroke="${colour}" stroke-width="${n(width)}" stroke-linecap="round" ${extra}/>`;
const soft = (amount) => `filter="url(#soft${amount})"`;

/** The lines that `Face` knows; each from its left end over its upper edge, then its lower edge from right to left. */
function geometry({ shape }) {
  const rightSide = [
    [MIDDLE + 87, 196],
    [MIDDLE + 88, 234],
    [MIDDLE + shape.jaw + 13, 262],
    [MIDDLE + shape.jaw, 294],
    [MIDDLE + shape.jaw - 12, 322],
    [MIDDLE + shape.chin, CHIN],
    [MIDDLE, CHIN],
  ];
  const leftSide = rightSide.map(mirror);
  const jaw = [...leftSide, ...rightSide.slice(0, -1).reverse()];
  const lift = shape.lash ? 3 : 1;
  const { y, apart } = EYES;
  // The right one; its inner corner is the left one.
  const open = shape.lash ? 14 : 12;
  const eyeUpper = [
    [MIDDLE + apart - 23, y + 4],
    [MIDDLE + apart - 13, y - open],
    [MIDDLE + apart + 12, y - open - 1],
    [MIDDLE + apart + 24, y - lift],
  ];
  const eyeLower = [
    [MIDDLE + apart + 24, y - lift],
    [MIDDLE + apart + 15, y + 11],
    [MIDDLE + apart - 9, y + 13],
    [MIDDLE + apart - 23, y + 4],
  ];
  const { y: m, half } = MOUTH;
  const corner = m - 4;
  const lipsUpper = [
    [MIDDLE - half, corner],
    [MIDDLE - 28, m - 9],
    [MIDDLE - 19, m - 15],
    [MIDDLE - 10, m - 15],
    [MIDDLE - 6, m - 15],
    [MIDDLE - 3, m - 12.5],
    [MIDDLE, m - 12],
    [MIDDLE + 3, m - 12.5],
    [MIDDLE + 6, m - 15],
    [MIDDLE + 10, m - 15],
    [MIDDLE + 19, m - 15],
    [MIDDLE + 28, m - 9],
    [MIDDLE + half, corner],
  ];
  const lipsLower = [
    [MIDDLE + half, corner],
    [MIDDLE + 31, m + 11],
    [MIDDLE + 17, m + 20],
    [MIDDLE, m + 20],
    [MIDDLE - 17, m + 20],
    [MIDDLE - 31, m + 11],
    [MIDDLE - half, corner],
  ];
  const between = [
    [MIDDLE - half, corner],
    [MIDDLE - 30, m - 1],
    [MIDDLE - 17, m + 1],
    [MIDDLE - 8, m],
    [MIDDLE - 4, m],
    [MIDDLE - 3, m + 2.5],
    [MIDDLE, m + 2.5],
    [MIDDLE + 3, m + 2.5],
    [MIDDLE + 4, m],
    [MIDDLE + 8, m],
    [MIDDLE + 17, m + 1],
    [MIDDLE + 30, m - 1],
    [MIDDLE + half, corner],
  ];
  return { jaw, eyeUpper, eyeLower, lipsUpper, lipsLower, between };
}

function faceOf(person) {
  const { jaw, eyeUpper, eyeLower, lipsUpper, lipsLower, between } = geometry(person);
  const points = (all) => all.map(([x, y]) => ({ x: n(x), y: n(y) }));
  const inner = sample(between, 11);
  const upper = sample(eyeUpper, 9);
  const lower = sample(eyeLower, 9);
  return {
    box: { x: 169, y: 130, width: 174, height: CHIN - 130 },
    outerLips: points([...sample(lipsUpper, 11), ...sample(lipsLower, 11).slice(1, -1)]),
    innerLips: points([...inner, ...inner.slice(1, -1).reverse()]),
    leftEye: points([...upper.map(mirror).reverse(), ...lower.map(mirror).reverse().slice(1, -1)]),
    rightEye: points([...upper, ...lower.slice(1, -1)]),
    jaw: points(sample(jaw, 21)),
  };
}

function draw(person) {
  const { skin, ground } = person;
  const shape = geometry(person);
  const head = `${path([
    [MIDDLE, 92],
    [MIDDLE + 56, 92],
    [MIDDLE + 87, 134],
    [MIDDLE + 87, 196],
    ...shape.jaw.slice().reverse().slice(1),
    [MIDDLE - 87, 134],
    [MIDDLE - 56, 92],
    [MIDDLE, 92],
  ])}Z`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE} ${SIZE}" width="${SIZE}" height="${SIZE}">
<defs>
${[1, 2, 4, 7, 12, 40].map((size) => `<filter id="soft${size}" x="-60%" y="-60%" width="220%" height="220%"><feGaussianBlur stdDeviation="${size}"/></filter>`).join('\n')}
<radialGradient id="ground" cx=".38" cy=".3" r=".95"><stop offset="0" stop-color="${ground.light}"/><stop offset=".55" stop-color="${ground.main}"/><stop offset="1" stop-color="${ground.shade}"/></radialGradient>
<linearGradient id="skin" x1=".12" y1=".05" x2=".95" y2=".9"><stop offset="0" stop-color="${skin.light}"/><stop offset=".5" stop-color="${skin.main}"/><stop offset="1" stop-color="${skin.shade}"/></linearGradient>
<linearGradient id="neck" x1="0" y1="0" x2=".35" y2="1"><stop offset="0" stop-color="${skin.shade}"/><stop offset=".7" stop-color="${skin.main}"/><stop offset="1" stop-color="${skin.main}"/></linearGradient>
<linearGradient id="cloth" x1=".1" y1="0" x2=".8" y2="1"><stop offset="0" stop-color="${person.clothes.light}"/><stop offset=".45" stop-color="${person.clothes.main}"/><stop offset="1" stop-color="${person.clothes.shade}"/></linearGradient>
<linearGradient id="hair" x1=".2" y1="0" x2=".7" y2="1"><stop offset="0" stop-color="${person.hair.main}"/><stop offset="1" stop-color="${person.hair.dark}"/></linearGradient>
<radialGradient id="iris"><stop offset="0" stop-color="${person.eyes.ring}"/><stop offset=".42" stop-color="${person.eyes.iris}"/><stop offset=".8" stop-color="${person.eyes.iris}"/><stop offset="1" stop-color="${person.eyes.ring}"/></radialGradient>
<linearGradient id="upperLip" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${person.lips.lower}"/><stop offset="1" stop-color="${person.lips.upper}"/></linearGradient>
<linearGradient id="lowerLip" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${person.lips.upper}"/><stop offset=".4" stop-color="${person.lips.lower}"/><stop offset="1" stop-color="${person.lips.upper}"/></linearGradient>
<clipPath id="head"><path d="${head}"/></clipPath>
<clipPath id="eye"><path d="${path([...shape.eyeUpper, ...shape.eyeLower.slice(1)])}Z"/></clipPath>
<clipPath id="lower"><path d="${path([...shape.between.slice().reverse(), ...shape.lipsLower.slice().reverse().slice(1)])}Z"/></clipPath>
</defs>
<rect width="${SIZE}" height="${SIZE}" fill="url(#ground)"/>
<circle cx="150" cy="150" r="150" fill="${ground.glow}" opacity=".55" ${soft(40)}/>
<circle cx="440" cy="400" r="120" fill="${ground.shade}" opacity=".5" ${soft(40)}/>
${hairBehind(person)}
${body(person)}
${ears(person)}
<path d="${head}" fill="url(#skin)"/>
<g clip-path="url(#head)">${shading(person)}</g>
${person.shape.beard ? beard(person, head) : ''}
${eyes(person, shape)}
${nose(person)}
${mouth(person, shape)}
${hairInFront(person)}
</svg>
`;
}

function body({ skin, clothes }) {
  const skinBelow = clothes.style === 'blouse' ? 'M190 378L256 466L322 378L300 350H212Z' : '';
  const neck = 'M208 290C210 330 208 360 196 388L256 450L316 388C304 360 302 330 304 290Z';
  const shoulders = {
    knit: 'M-6 512C0 452 44 420 104 404C146 393 176 386 196 376C208 408 304 408 316 376C336 386 366 393 408 404C468 420 512 452 518 512Z',
    blouse:
      'M6 512C14 456 58 424 116 408C150 398 176 390 188 380L256 462L324 380C336 390 362 398 396 408C454 424 498 456 506 512Z',
    shirt:
      'M-8 512C-2 450 40 420 98 404C140 392 170 386 188 376C206 404 306 404 324 376C342 386 372 392 414 404C472 420 514 450 520 512Z',
  }[clothes.style];
  const shadow = `<path d="M180 300C200 372 312 372 332 300L330 330C310 402 214 408 188 336Z" fill="${skin.deep}" opacity=".55" ${soft(7)}/>`;
  const neckline = {
    knit: `${line('M190 374C204 412 308 412 322 374', clothes.shade, 17, 'opacity=".9"')}${line('M190 372C204 409 308 409 322 372', clothes.light, 11)}${line('M192 368C206 404 306 404 320 368', clothes.main, 4, 'opacity=".7"')}`,
    blouse: `${line('M186 381L256 464L326 381', clothes.shade, 9, `opacity=".5" ${soft(2)}`)}${line('M187 379L256 461L325 379', clothes.light, 5)}`,
    shirt: '',
  }[clothes.style];
  const collar =
    clothes.style === 'shirt'
      ? `<path d="M190 372C206 416 306 416 322 372L336 400L306 512L206 512L176 400Z" fill="#f4f3ef"/>` +
        `<path d="M192 378C208 420 304 420 320 378" fill="none" stroke="#d5d3cc" stroke-width="5"/>` +
        `<path d="M196 400L210 512L250 512C226 480 208 440 196 400Z" fill="#cfcdc8" opacity=".5" ${soft(4)}/>` +
        both(
          `<path d="M186 366C176 376 164 390 158 404L196 470L228 512L150 512L140 402C156 392 172 382 186 366Z" fill="url(#cloth)"/>${line('M180 376C172 384 165 394 160 403L196 468', clothes.light, 2.4, 'opacity=".5"')}<path d="M160 405L198 474L228 512L206 512C182 476 166 440 160 405Z" fill="${clothes.shade}" opacity=".55" ${soft(2)}/>`,
        )
      : '';
  const folds = both(
    `<path d="M70 512C80 476 96 452 124 436C108 462 100 486 98 512Z" fill="${clothes.shade}" opacity=".45" ${soft(7)}/>`,
  );
  const light = `<path d="M20 470C44 436 92 420 150 402C110 430 70 446 40 490Z" fill="${clothes.light}" opacity=".7" ${soft(12)}/>`;
  const bones =
    clothes.style === 'blouse'
      ? both(line('M246 424C230 412 214 406 200 404', skin.deep, 4, `opacity=".28" ${soft(2)}`))
      : '';
  return `<g><clipPath id="below"><path d="${neck}${skinBelow}"/></clipPath>${fill(neck, 'url(#neck)')}${skinBelow && fill(skinBelow, skin.main)}<g clip-path="url(#below)">${shadow}</g>${bones}${fill(shoulders, 'url(#cloth)')}${folds}${light}${neckline}${collar}</g>`;
}

function ears({ skin, shape, hair }) {
  if (hair.style === 'wavy') return '';
  const ear = `<path d="M171 208C158 198 148 210 152 230C155 250 164 266 174 262Z" fill="url(#skin)"/><path d="M168 218C160 214 157 222 159 234C160 244 165 252 170 252" fill="none" stroke="${skin.deep}" stroke-width="2.4" opacity=".5" stroke-linecap="round"/>`;
  const ring = shape.earrings
    ? `<circle cx="165" cy="284" r="15" fill="none" stroke="${shape.earrings}" stroke-width="4.5"/><path d="M152 278A15 15 0 0 1 164 269" fill="none" stroke="#fff4cf" stroke-width="2" opacity=".9"/>`
    : '';
  return both(ear + ring);
}

function shading({ skin, shape }) {
  return [
    `<path d="M350 90C330 200 340 300 262 356L360 356L360 90Z" fill="${skin.shade}" opacity=".75" ${soft(12)}/>`,
    `<path d="M160 90C176 190 160 290 226 352L150 356Z" fill="${skin.shade}" opacity=".3" ${soft(12)}/>`,
    `<ellipse cx="246" cy="158" rx="58" ry="26" fill="${skin.light}" opacity=".65" ${soft(12)}/>`,
    `<path d="M160 90H352V142C312 120 200 120 160 150Z" fill="${skin.deep}" opacity=".4" ${soft(12)}/>`,
    both(`<ellipse cx="199" cy="270" rx="25" ry="17" fill="${skin.blush}" opacity=".34" ${soft(12)}/>`),
    `<ellipse cx="202" cy="252" rx="20" ry="9" fill="${skin.light}" opacity=".75" ${soft(7)} transform="rotate(-14 202 252)"/>`,
    `<ellipse cx="308" cy="252" rx="16" ry="8" fill="${skin.light}" opacity=".35" ${soft(7)} transform="rotate(14 308 252)"/>`,
    // The sockets, the shadow below the lower lip, and the chin's light.
    both(
      `<path d="M182 214C196 198 222 198 238 214C240 226 236 232 230 236C216 246 194 244 184 234Z" fill="${skin.shade}" opacity=".5" ${soft(7)}/>`,
    ),
    `<path d="M230 326C244 334 268 334 282 326C276 336 236 336 230 326Z" fill="${skin.deep}" opacity=".5" ${soft(4)}/>`,
    `<ellipse cx="253" cy="338" rx="20" ry="8" fill="${skin.light}" opacity=".45" ${soft(7)}/>`,
    `<path d="M170 320C200 356 312 356 342 320L342 360H170Z" fill="${skin.deep}" opacity=".32" ${soft(7)}/>`,
    shape.lines
      ? both(
          `${line('M222 272C214 280 207 288 205 298', skin.deep, 2.6, `opacity=".32" ${soft(2)}`)}${line('M182 240C178 243 175 246 173 250', skin.deep, 1.6, 'opacity=".3"')}${line('M181 234C176 235 172 237 169 240', skin.deep, 1.6, 'opacity=".3"')}${line('M196 247C204 252 216 252 226 247', skin.deep, 2, 'opacity=".25"')}`,
        ) + line('M216 166C240 160 272 160 296 166', skin.deep, 2, 'opacity=".16"')
      : '',
  ].join('\n');
}

function eyes(person, { eyeUpper, eyeLower }) {
  const { skin, eyes: colour, shape } = person;
  const { y, apart } = EYES;
  const [cx, cy] = [MIDDLE + apart, y - 1.5];
  const upper = path(eyeUpper);
  const almond = `${path([...eyeUpper, ...eyeLower.slice(1)])}Z`;
  const crease = path(eyeUpper.map(([px, py], i) => [px + (i === 3 ? 2 : 0), py - (i === 0 || i === 3 ? 5 : 9)]));
  const right = [
    // A lid of skin above, then the white, its upper shadow, and the iris with its light.
    fill(
      `${path([...eyeUpper.map(([px, py], i) => [px, py - (i === 1 || i === 2 ? 8 : 2)])])}L${at(eyeUpper[3])}${path(eyeUpper.slice().reverse()).replace('M', 'L')}Z`,
      skin.main,
      'opacity=".8"',
    ),
    line(crease, skin.deep, 2.2, 'opacity=".6"'),
    fill(almond, '#fbf6f1'),
    `<g clip-path="url(#eye)"><circle cx="${cx}" cy="${cy}" r="13" fill="url(#iris)"/>`,
    `<path d="M${cx - 8} ${cy + 4}A9 9 0 0 0 ${cx + 8} ${cy + 4}" fill="none" stroke="${colour.inner}" stroke-width="5" opacity=".6" ${soft(2)}/>`,
    `<circle cx="${cx}" cy="${cy}" r="5.8" fill="#0c0706"/>`,
    line(upper, colour.ring, 11, `opacity=".42" ${soft(2)}`),
    `<circle cx="${eyeUpper[0][0] + 2}" cy="${eyeUpper[0][1]}" r="3.6" fill="${skin.blush}" opacity=".6"/></g>`,
    line(path(eyeLower), skin.deep, 1.7, 'opacity=".55"'),
    line(upper, colour.lash, shape.lash ? 4.2 : 3),
    shape.lash
      ? [0.62, 0.76, 0.9, 1]
          .map((place, i) => {
            const [px, py] = sample(eyeUpper, 101)[Math.round(place * 100)];
            return line(
              `M${at([px, py])}Q${at([px + 2 + i, py - 3])} ${at([px + 4 + 1.6 * i, py - 5 + 0.9 * i])}`,
              colour.lash,
              1.5,
            );
          })
          .join('')
      : '',
    brow(person),
  ].join('\n');
  // Both eyes have the light on the same side.
  const light = (x) =>
    `<circle cx="${x - 4}" cy="${cy - 4.6}" r="3.1" fill="#fff"/><circle cx="${x + 4.4}" cy="${cy + 4}" r="1.5" fill="#fff" opacity=".7"/>`;
  return both(right) + light(cx) + light(2 * MIDDLE - cx);
}

function brow({ eyes: colour, shape }) {
  const thick = 6.2 * shape.brow;
  const [x, y] = [MIDDLE + EYES.apart, EYES.y - 29];
  const upper = [
    [x - 26, y - 1],
    [x - 10, y - 8],
    [x + 12, y - 11],
    [x + 33, y + 5],
  ];
  const lower = [
    [x + 33, y + 5],
    [x + 13, y - 10 + thick],
    [x - 8, y - 6 + thick],
    [x - 25, y + thick],
  ];
  const random = randomFrom(7);
  const hairs = sample(upper, 34).map(([px, py], i) => {
    const place = i / 33;
    const depth = thick * (1 - 0.75 * place);
    const [sx, sy] = [px + random(-1, 1), py + depth * random(0.5, 1.05)];
    return line(`M${at([sx, sy])}L${at([sx + 3 + 5 * place, sy - 4 + 5.5 * place])}`, colour.brow, 1.2, 'opacity=".7"');
  });
  return `${fill(`${path([...upper, ...lower.slice(1)])}Z`, colour.brow, `opacity=".7" ${soft(1)}`)}${hairs.join('')}`;
}

function nose({ skin }) {
  return [
    `<path d="M268 214C272 236 276 250 284 264C280 276 268 278 262 274C268 250 266 230 268 214Z" fill="${skin.deep}" opacity=".26" ${soft(4)}/>`,
    `<path d="M252 206C250 226 250 244 250 258" fill="none" stroke="${skin.light}" stroke-width="8" stroke-linecap="round" opacity=".75" ${soft(4)}/>`,
    `<ellipse cx="253" cy="${NOSE - 8}" rx="10" ry="7" fill="${skin.light}" opacity=".7" ${soft(4)}/>`,
    `<path d="M230 270C238 280 274 280 282 270C278 284 234 284 230 270Z" fill="${skin.deep}" opacity=".42" ${soft(4)}/>`,
    both(
      `${fill('M238 272C241 268 247 269 249 273C246 276 241 276 238 272Z', skin.deep, 'opacity=".8"')}${line('M232 271C228 266 229 258 235 255', skin.deep, 2, `opacity=".42" ${soft(2)}`)}`,
    ),
    line('M249 276C253 279 259 279 263 276', skin.deep, 1.8, 'opacity=".55"'),
    `<path d="M252 283V290" stroke="${skin.light}" stroke-width="5" opacity=".4" stroke-linecap="round" ${soft(2)}/>`,
  ].join('\n');
}

function mouth({ lips, skin }, { lipsUpper, lipsLower, between }) {
  const back = between.slice().reverse();
  const { y, half } = MOUTH;
  return [
    `<ellipse cx="${MIDDLE}" cy="${y + 3}" rx="${half + 7}" ry="20" fill="${skin.shade}" opacity=".35" ${soft(7)}/>`,
    fill(`${path([...lipsUpper, ...back.slice(1)])}Z`, 'url(#upperLip)'),
    fill(`${path([...back, ...lipsLower.slice().reverse().slice(1)])}Z`, 'url(#lowerLip)'),
    `<g clip-path="url(#lower)"><ellipse cx="${MIDDLE - 5}" cy="${y + 10}" rx="19" ry="3.6" fill="${lips.light}" opacity=".8" ${soft(2)}/></g>`,
    line(path(lipsUpper.slice(3, 10)), skin.light, 1.6, `opacity=".5" transform="translate(0 -1.6)"`),
    line(path(between), lips.line, 2.4),
    both(`<circle cx="${MIDDLE - half}" cy="${y - 4}" r="3" fill="${lips.line}" opacity=".55" ${soft(2)}/>`),
  ].join('\n');
}

function beard({ hair, shape }, head) {
  const random = randomFrom(91);
  const area =
    'M171 226C172 270 178 310 200 336C222 360 290 360 312 336C334 310 340 270 341 226C336 262 326 284 312 294C300 280 282 278 256 283C230 278 212 280 200 294C186 284 176 262 171 226Z';
  const strands = [];
  for (let i = 0; i < 900; i++) {
    const angle = random(-1.35, 1.35);
    const reach = random(0.66, 1.02);
    const x = MIDDLE + 84 * reach * Math.sin(angle) * (1 + 0.05 * shape.brow);
    const y = 262 + 88 * reach * Math.cos(angle) ** 0.8;
    if (y < 284 && Math.abs(x - MIDDLE) < 66) continue;
    const nearLips = ((x - MIDDLE) / 47) ** 2 + ((y - MOUTH.y - 3) / 24) ** 2 < 1;
    if (nearLips) continue;
    const [dx, dy] = [(x - MIDDLE) * 0.05 + random(-2, 2), random(5, 10)];
    const tint = random() < 0.45 ? hair.light : random() < 0.5 ? hair.main : hair.dark;
    strands.push(
      line(
        `M${at([x, y])}q${at([dx * 0.3, dy * 0.6])} ${at([dx, dy])}`,
        tint,
        random(0.8, 1.5),
        `opacity="${n(random(0.35, 0.8))}"`,
      ),
    );
  }
  for (let i = 0; i < 110; i++) {
    const side = random(-1, 1);
    const x = MIDDLE + side * 40;
    const y = 282 + 6 * Math.abs(side) + random(-2, 4) + (Math.abs(side) > 0.85 ? 6 : 0);
    const tint = random() < 0.5 ? hair.light : hair.main;
    strands.push(
      line(
        `M${at([x, y - 3])}q${at([side * 3, 2])} ${at([side * 5, 6])}`,
        tint,
        random(0.9, 1.5),
        `opacity="${n(random(0.45, 0.85))}"`,
      ),
    );
  }
  return `<clipPath id="chin"><path d="${head}" transform="translate(256 256) scale(1.012 1.02) translate(-256 -254)"/></clipPath><clipPath id="beard"><path d="${head}"/></clipPath><g clip-path="url(#beard)"><path d="${area}" fill="${hair.main}" opacity=".62" ${soft(4)}/><path d="M180 300C196 340 230 352 256 352C282 352 316 340 332 300L340 360H172Z" fill="${hair.dark}" opacity=".5" ${soft(7)}/></g><g clip-path="url(#chin)">${strands.join('\n')}</g>`;
}

/** Strands between two lines: each goes from a place on the first to the same place on the second, bent by `bend`. */
function strands(from, to, count, { hair }, seed, bend = 0, width = 2.2) {
  const random = randomFrom(seed);
  const [roots, tips] = [sample(from, 201), sample(to, 201)];
  return Array.from({ length: count }, () => {
    const place = random();
    const index = (offset) => Math.round(Math.min(Math.max(place + offset, 0), 1) * 200);
    const [a, b] = [roots[index(0)], tips[index(random(-0.04, 0.04))]];
    const middle = [(a[0] + b[0]) / 2 + bend + random(-7, 7), (a[1] + b[1]) / 2 + random(-7, 7)];
    const tint = random();
    const colour = tint < 0.34 ? hair.light : tint < 0.7 ? hair.main : hair.dark;
    const opacity = n(colour === hair.light ? random(0.15, 0.5) : random(0.25, 0.65));
    return line(`M${at(a)}Q${at(middle)} ${at(b)}`, colour, random(0.8, width), `opacity="${opacity}"`);
  }).join('\n');
}

function hairBehind(person) {
  const { hair } = person;
  if (hair.style === 'wavy') {
    const d =
      'M256 58C182 56 142 104 140 178C138 226 148 250 132 290C118 330 122 372 142 404C166 424 198 412 206 388L206 300H306L306 388C314 412 346 424 370 404C390 372 394 330 380 290C364 250 374 226 372 178C370 104 330 56 256 58Z';
    const left = [
      [158, 150],
      [140, 210],
      [156, 250],
      [150, 290],
      [138, 330],
      [150, 370],
      [176, 404],
    ];
    const outer = [
      [146, 160],
      [130, 230],
      [140, 260],
      [128, 300],
      [116, 340],
      [126, 380],
      [146, 402],
    ];
    const waves = strands(outer, left, 30, person, 3, 0, 3);
    const lengths = (mirrored) => {
      const random = randomFrom(mirrored ? 12 : 11);
      return Array.from({ length: 46 }, () => {
        const x = random(0, 52);
        const [a, b, c] = [142 + x * 0.55, 132 + x, 140 + x * 1.15];
        const tint = random();
        const d = `M${at([a, 150 + random(-10, 30)])}C${at([a - 16, 215])} ${at([b + 22, 255])} ${at([b, 305])}S${at([c + 4, 380])} ${at([c, 404 - Math.abs(x - 24) * 0.5])}`;
        return line(
          d,
          tint < 0.4 ? hair.light : tint < 0.7 ? hair.main : hair.dark,
          random(1, 3),
          `opacity="${n(random(0.2, 0.6))}"`,
        );
      }).join('\n');
    };
    return `<path d="${d}" fill="${hair.dark}" opacity=".35" transform="translate(5 8)" ${soft(12)}/><clipPath id="long"><path d="${d}"/></clipPath>${fill(d, 'url(#hair)')}<g clip-path="url(#long)">${waves}${lengths(false)}<g transform="translate(${2 * MIDDLE} 0) scale(-1 1)">${lengths(true)}</g></g>`;
  }
  if (hair.style === 'round') return curls(person, 'behind');
  return '';
}

function curls({ hair }, where) {
  const random = randomFrom(where === 'behind' ? 5 : 6);
  const parts = [];
  if (where === 'behind') {
    parts.push(
      `<path d="M256 30C150 26 96 104 108 190C112 236 140 262 172 270L340 270C372 262 400 236 404 190C416 104 362 26 256 30Z" fill="${hair.dark}" opacity=".35" transform="translate(6 10)" ${soft(12)}/>`,
    );
  }
  const count = where === 'behind' ? 420 : 150;
  for (let i = 0; i < count; i++) {
    let [x, y, r] = [0, 0, 0];
    if (where === 'behind') {
      const angle = random(-Math.PI * 1.18, Math.PI * 0.18);
      const reach = Math.sqrt(random(0.05, 1));
      [x, y, r] = [256 + 136 * reach * Math.cos(angle), 164 + 124 * reach * Math.sin(angle), random(9, 17)];
    } else {
      const angle = random(-Math.PI, 0);
      const reach = random(0.97, 1.24);
      [x, y, r] = [256 + 88 * reach * Math.cos(angle), 192 + 82 * reach * Math.sin(angle), random(6, 11)];
    }
    const lit = Math.max(0, 1 - Math.hypot(x - 190, y - 80) / 190);
    const tint = random();
    parts.push(`<circle cx="${n(x)}" cy="${n(y)}" r="${n(r)}" fill="${tint < 0.5 ? hair.dark : hair.main}"/>`);
    const turn = n(random(0, 360));
    const shine = n(0.16 + 0.6 * lit * random(0.5, 1));
    parts.push(
      `<path d="M${n(x - r * 0.62)} ${n(y)}A${n(r * 0.62)} ${n(r * 0.62)} 0 0 1 ${n(x + r * 0.5)} ${n(y - r * 0.3)}" fill="none" stroke="${hair.light}" stroke-width="${n(random(1.2, 2.2))}" stroke-linecap="round" opacity="${shine}" transform="rotate(${turn} ${n(x)} ${n(y)})"/>`,
    );
  }
  return parts.join('\n');
}

function hairInFront(person) {
  const { hair, skin } = person;
  const shadow = (d) =>
    `<g clip-path="url(#head)"><path d="${d}" fill="${skin.deep}" opacity=".5" transform="translate(3 8)" ${soft(4)}/></g>`;
  switch (hair.style) {
    case 'wavy': {
      const left =
        'M244 76C196 74 156 104 152 168C150 206 158 236 166 262C166 226 176 196 196 170C214 148 238 128 252 100C252 90 250 82 244 76Z';
      const right =
        'M240 78C300 62 352 96 360 164C364 206 356 240 346 266C348 226 340 192 320 164C300 140 270 122 250 98Z';
      const top = [
        [240, 72],
        [200, 74],
        [164, 104],
        [155, 160],
      ];
      const hang = [
        [250, 100],
        [226, 140],
        [184, 160],
        [167, 250],
      ];
      const crown = [
        [240, 74],
        [290, 64],
        [340, 92],
        [357, 160],
      ];
      const fall = [
        [252, 98],
        [286, 136],
        [330, 160],
        [346, 250],
      ];
      return `${shadow(left)}${shadow(right)}${fill(right, 'url(#hair)')}${fill(left, 'url(#hair)')}${strands(top, hang, 90, person, 21, -10, 2.6)}${strands(crown, fall, 90, person, 22, 12, 2.6)}<path d="M176 120C190 96 214 84 236 82C212 96 192 116 180 150Z" fill="${hair.light}" opacity=".35" ${soft(7)}/>`;
    }
    case 'round':
      return `${shadow('M168 200C166 120 206 104 256 104C306 104 346 120 344 200C336 150 300 128 256 128C212 128 176 150 168 200Z')}${curls(person, 'front')}`;
    case 'short': {
      const cap =
        'M166 206C150 150 158 84 222 66C292 48 352 82 354 146C355 172 350 190 346 206C342 184 338 166 330 152C310 150 288 140 272 126C262 140 232 150 196 150C180 160 172 182 166 206Z';
      const roots = [
        [164, 150],
        [170, 84],
        [270, 50],
        [352, 140],
      ];
      const fringe = [
        [176, 190],
        [196, 146],
        [270, 136],
        [338, 176],
      ];
      const spikes = strands(
        [
          [172, 110],
          [200, 60],
          [290, 48],
          [344, 104],
        ],
        [
          [190, 150],
          [220, 150],
          [280, 128],
          [332, 150],
        ],
        110,
        person,
        31,
        14,
        3,
      );
      return `${shadow(cap)}${fill(cap, 'url(#hair)')}${strands(roots, fringe, 120, person, 30, 10, 2.6)}${spikes}<path d="M190 96C220 72 262 66 292 76C258 80 226 94 204 120Z" fill="${hair.light}" opacity=".45" ${soft(7)}/>`;
    }
    case 'swept': {
      const cap =
        'M167 214C152 160 154 96 214 72C276 50 350 76 356 142C357 172 350 194 345 214C343 186 340 168 328 146C312 126 286 122 262 124C230 124 206 130 190 146C176 164 171 188 167 214Z';
      const roots = [
        [190, 146],
        [210, 126],
        [290, 118],
        [330, 148],
      ];
      const back = [
        [160, 120],
        [196, 60],
        [300, 56],
        [354, 130],
      ];
      const sides = both(
        strands(
          [
            [160, 140],
            [158, 160],
            [160, 185],
            [166, 208],
          ],
          [
            [186, 148],
            [178, 165],
            [173, 190],
            [170, 216],
          ],
          40,
          person,
          43,
          -2,
          1.8,
        ),
      );
      return `${shadow(cap)}${fill(cap, 'url(#hair)')}${strands(roots, back, 190, person, 41, 8, 2.2)}${sides}<path d="M196 100C226 80 270 76 300 88C262 88 232 98 210 120Z" fill="${hair.light}" opacity=".5" ${soft(7)}/>`;
    }
  }
}

/** `src/server/video/pictures/png.ts`, which this Node may not run as it is. */
async function pngTools() {
  const entry = fileURLToPath(new URL('../src/server/video/pictures/png.ts', import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

/**
 * The picture without its opacity and without most of the renderer's dither, which would double the file: a pixel takes the
 * value that a PNG predicts from its neighbours (Paeth) where that is one step away.
 */
function calmed(data) {
  const rgb = new Uint8Array(3 * SIZE * SIZE);
  for (let i = 0; i < rgb.length; i++) {
    const row = Math.floor(i / (3 * SIZE));
    const inRow = i % (3 * SIZE) >= 3;
    const [left, up, corner] = [
      inRow ? rgb[i - 3] : 0,
      row > 0 ? rgb[i - 3 * SIZE] : 0,
      inRow && row > 0 ? rgb[i - 3 * SIZE - 3] : 0,
    ];
    const guess = left + up - corner;
    const away = [left, up, corner].map((value) => Math.abs(guess - value));
    const predicted = [left, up, corner][away.indexOf(Math.min(...away))];
    const value = data[Math.floor(i / 3) * 4 + (i % 3)];
    rgb[i] = Math.abs(predicted - value) <= 1 ? predicted : value;
  }
  return rgb;
}

const { readPng, writePng } = await pngTools();
const browser = await chromium.launch({
  executablePath: process.argv[2] ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const page = await browser.newPage({ viewport: { width: SIZE, height: SIZE } });
for (const person of PEOPLE) {
  const file = (ending) => new URL(`${person.id}.${ending}`, FOLDER);
  await page.setContent(`<style>body{margin:0}svg{display:block}</style>${draw(person)}`);
  const { data } = await readPng(await page.screenshot());
  const png = await writePng({ width: SIZE, height: SIZE, rgb: calmed(data) });
  writeFileSync(file('png'), png);
  writeFileSync(file('json'), `${JSON.stringify({ name: person.name, face: faceOf(person) })}\n`);
  console.log(`${person.id}: ${Math.ceil(png.length / 1000)} kB`);
}
await browser.close();
