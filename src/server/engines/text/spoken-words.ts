export const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);

/** One, many, and the hundredth part of it. */
export const CURRENCIES: Record<string, readonly [string, string, string]> = {
  $: ['dollar', 'dollars', 'cents'],
  '€': ['euro', 'euros', 'cents'],
  '£': ['pound', 'pounds', 'pence'],
  '¥': ['yen', 'yen', ''],
};

/** Units after a number: one and many. */
export const UNITS: Record<string, readonly [string, string]> = {
  '%': ['percent', 'percent'],
  '¢': ['cent', 'cents'],
  '°': ['degree', 'degrees'],
  '°C': ['degree Celsius', 'degrees Celsius'],
  '°F': ['degree Fahrenheit', 'degrees Fahrenheit'],
  ...units('mm millimeter cm centimeter m meter km kilometer mi mile ft foot/feet inch inch/inches yd yard'),
  ...units('mg milligram g gram kg kilogram oz ounce lb pound lbs pound ml milliliter l liter L liter'),
  ...units('ms millisecond s second sec second min minute mins minute h hour hr hour hrs hour'),
  ...units('B byte KB kilobyte kB kilobyte MB megabyte GB gigabyte TB terabyte'),
  ...units('Hz hertz/hertz kHz kilohertz/kilohertz MHz megahertz/megahertz GHz gigahertz/gigahertz'),
  ...units('W watt kW kilowatt V volt A amp kWh kilowatt-hour dB decibel x time'),
  'km/h': ['kilometer per hour', 'kilometers per hour'],
  'm/s': ['meter per second', 'meters per second'],
  'Mbit/s': ['megabit per second', 'megabits per second'],
  mph: ['mile per hour', 'miles per hour'],
  'm²': ['square meter', 'square meters'],
  'km²': ['square kilometer', 'square kilometers'],
  'm³': ['cubic meter', 'cubic meters'],
};

function units(list: string): Record<string, readonly [string, string]> {
  const parts = list.split(' ');
  const pairs = parts.filter((_, i) => i % 2 === 0).map((unit, i) => [unit, parts[2 * i + 1]!] as const);
  return Object.fromEntries(
    pairs.map(([unit, name]) => {
      const [one = name, many = `${one}s`] = name.split('/');
      return [unit, [one, many] as const];
    }),
  );
}

/** Abbreviations, with their dots. */
export const ABBREVIATIONS: Record<string, string> = Object.assign(Object.create(null), {
  ...{ 'Dr.': 'doctor', 'Mr.': 'mister', 'Mrs.': 'missus', 'Ms.': 'miz', 'Prof.': 'professor', 'Jr.': 'junior' },
  ...{ 'Sr.': 'senior', 'Mt.': 'mount', 'Ave.': 'avenue', 'Rd.': 'road', 'Blvd.': 'boulevard', 'Capt.': 'captain' },
  ...{
    'Gen.': 'general',
    'Sgt.': 'sergeant',
    'Inc.': 'incorporated',
    'Ltd.': 'limited',
    'Co.': 'company',
    'dept.': 'department',
  },
  ...{
    'e.g.': 'for example',
    'i.e.': 'that is',
    'etc.': 'et cetera',
    'vs.': 'versus',
    vs: 'versus',
    'approx.': 'approximately',
  },
  ...{
    'No.': 'number',
    'St.': 'street',
    'a.m.': 'A.M.',
    'p.m.': 'P.M.',
    am: 'am',
    pm: 'P.M.',
    AM: 'A.M.',
    PM: 'P.M.',
    'Ph.D.': 'P.H.D.',
  },
  ...{
    'Jan.': 'January',
    'Feb.': 'February',
    'Apr.': 'April',
    'Aug.': 'August',
    'Sept.': 'September',
    'Sep.': 'September',
  },
  ...{
    'Oct.': 'October',
    'Nov.': 'November',
    'Dec.': 'December',
    OK: 'okay',
    ok: 'okay',
    Ok: 'okay',
    'w/o': 'without',
  },
});

/** Symbols wherever they stand. */
export const SYMBOLS: Record<string, string> = Object.assign(Object.create(null), {
  ...{
    '%': 'percent',
    '&': 'and',
    '+': 'plus',
    '=': 'equals',
    '@': 'at',
    '×': 'times',
    '÷': 'divided by',
    '−': 'minus',
  },
  ...{ '°': 'degrees', $: 'dollars', '€': 'euros', '£': 'pounds', '<': 'less than', '>': 'greater than', '≈': 'about' },
  ...{
    '≤': 'at most',
    '≥': 'at least',
    '±': 'plus or minus',
    '^': 'to the power of',
    '²': 'squared',
    '³': 'cubed',
    '√': 'the square root of',
  },
  ...{
    π: 'pie',
    '½': 'a half',
    '¼': 'a quarter',
    '¾': 'three quarters',
    '⅓': 'a third',
    '⅔': 'two thirds',
    '#': 'hash',
  },
  ...{ '©': 'copyright', '™': 'trademark', '–': ',', '—': ',', '→': ',' },
});

/** Letters that have no plain one inside them. */
export const LETTERS: Record<string, string> = {
  ...{ ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ð: 'th', þ: 'th', ı: 'i' },
};
