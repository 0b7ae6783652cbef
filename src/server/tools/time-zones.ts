/** Large cities and other names that no time zone is named for. */
const ELSEWHERE: Record<string, string> = {
  'America/New_York':
    'boston|washington|washington dc|philadelphia|miami|atlanta|montreal|ottawa|orlando|eastern time|new york city|nyc',
  'America/Chicago': 'dallas|houston|austin|san antonio|minneapolis|new orleans|st louis|central time',
  'America/Denver': 'salt lake city|albuquerque|mountain time',
  'America/Los_Angeles': 'san francisco|seattle|san diego|las vegas|portland|california|silicon valley|pacific time|la',
  'America/Sao_Paulo': 'rio|rio de janeiro|brasilia',
  'America/Toronto': 'quebec',
  'Europe/London': 'england|uk|united kingdom|great britain|edinburgh|manchester|liverpool|glasgow|cardiff',
  'Europe/Berlin': 'germany|munich|münchen|hamburg|cologne|köln|frankfurt|stuttgart|düsseldorf|leipzig',
  'Europe/Paris': 'france|lyon|marseille|nice|toulouse',
  'Europe/Madrid': 'spain|barcelona|seville|valencia',
  'Europe/Rome': 'italy|milan|naples|venice|florence|turin',
  'Europe/Zurich': 'switzerland|geneva|basel|bern|zürich|genf',
  'Europe/Vienna': 'austria|wien|salzburg|graz',
  'Europe/Lisbon': 'portugal|porto',
  'Europe/Amsterdam': 'netherlands|rotterdam|the hague',
  'Europe/Brussels': 'belgium|antwerp',
  'Europe/Warsaw': 'poland|krakow',
  'Europe/Istanbul': 'turkey|ankara',
  'Europe/Kyiv': 'ukraine|kiev',
  'Europe/Moscow': 'st petersburg|saint petersburg',
  'Asia/Kolkata': 'india|delhi|new delhi|mumbai|bombay|bangalore|bengaluru|chennai|hyderabad|calcutta',
  'Asia/Shanghai': 'china|beijing|peking|shenzhen|guangzhou|chengdu|wuhan|hangzhou',
  'Asia/Tokyo': 'japan|osaka|kyoto|yokohama|nagoya',
  'Asia/Seoul': 'korea|south korea|busan',
  'Asia/Ho_Chi_Minh': 'vietnam|hanoi|saigon',
  'Asia/Karachi': 'pakistan|lahore|islamabad',
  'Asia/Dubai': 'abu dhabi|emirates|uae',
  'Asia/Jerusalem': 'israel|tel aviv',
  'Asia/Riyadh': 'saudi arabia|mecca',
  'Asia/Kathmandu': 'nepal',
  'Africa/Johannesburg': 'south africa|cape town|pretoria',
  'Africa/Lagos': 'nigeria|abuja',
  'Africa/Cairo': 'egypt|alexandria',
  'Africa/Nairobi': 'kenya',
  'Australia/Sydney': 'canberra',
  'Pacific/Auckland': 'new zealand|wellington',
  'Pacific/Honolulu': 'hawaii',
};

/** What a zone's link is called where Node knows only its old name. */
const OLD_NAMES: Record<string, string> = { 'Asia/Kolkata': 'Asia/Calcutta', 'Europe/Kyiv': 'Europe/Kiev' };

const plain = (name: string): string =>
  name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[_./]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

let cities: Map<string, string> | undefined;

/** The IANA zone of a place: a zone's own name, a city that one is named for, or another large city; undefined if unknown. */
export function timeZoneOf(place: string): string | undefined {
  const given = place.trim().replace(/\s+/g, '_');
  const zone = valid(given);
  if (zone) return zone;
  cities ??= allCities();
  // "Paris, France" is in Paris.
  return cities.get(plain(place)) ?? cities.get(plain(place.split(',')[0] ?? ''));
}

function allCities(): Map<string, string> {
  const known = new Map<string, string>();
  for (const zone of Intl.supportedValuesOf('timeZone')) known.set(plain(zone.split('/').at(-1)!), zone);
  for (const [zone, names] of Object.entries(ELSEWHERE)) {
    const usable = valid(zone) ?? OLD_NAMES[zone]!;
    for (const name of [...names.split('|'), zone.split('/').at(-1)!]) known.set(plain(name), usable);
  }
  return known;
}

function valid(zone: string): string | undefined {
  // A bare offset or abbreviation is no place, save those that everybody means the same by.
  if (!zone.includes('/') && !/^(utc|gmt|[ecmp][sd]t|cet|cest|eet|wet)$/i.test(zone)) return undefined;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}
