import { sayNumber, sayOrdinal } from './numbers.ts';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** The time of day as it is spoken, such as `three oh five in the afternoon`. */
export function sayTime(now: Date): string {
  const [hours, minutes] = [now.getHours(), now.getMinutes()];
  if (minutes === 0 && hours % 12 === 0) return hours === 0 ? 'midnight' : 'noon';
  const part =
    hours < 5 ? 'at night' : hours < 12 ? 'in the morning' : hours < 18 ? 'in the afternoon' : 'in the evening';
  const hour = sayNumber(hours % 12 || 12);
  const minute = minutes === 0 ? "o'clock" : minutes < 10 ? `oh ${sayNumber(minutes)}` : sayNumber(minutes);
  return `${hour} ${minute} ${part}`;
}

/** The date as it is spoken, such as `Sunday, the twenty-second of November, twenty twenty-six`. */
export function sayDate(day: Date): string {
  return `${sayDay(day)}, the ${sayOrdinal(day.getDate())} of ${sayMonth(day)}, ${sayYear(day)}`;
}

/** The day of the week. */
export function sayDay(day: Date): string {
  return DAYS[day.getDay()]!;
}

/** The name of the month. */
export function sayMonth(day: Date): string {
  return MONTHS[day.getMonth()]!;
}

/** The year as it is spoken, such as `twenty twenty-six` or `two thousand and five`. */
export function sayYear(day: Date): string {
  const year = day.getFullYear();
  const rest = year % 100;
  if (year < 1100 || (year >= 2000 && year < 2010) || rest === 0) return sayNumber(year);
  return `${sayNumber(Math.floor(year / 100))} ${rest < 10 ? `oh ${sayNumber(rest)}` : sayNumber(rest)}`;
}

/** `day` moved by whole days. */
export function shifted(day: Date, days: number): Date {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days, day.getHours(), day.getMinutes());
}
