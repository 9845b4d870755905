// Numbers, days, moments, money and words, as people read them.
import { signal } from "./vendor/preact.js";

const LOCALE = "en-GB";
const PLAIN = new Intl.NumberFormat(LOCALE);
const SHORT = new Intl.NumberFormat(LOCALE, { notation: "compact", maximumFractionDigits: 1 });
const MOMENT = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short" });
const EXACT = new Intl.DateTimeFormat(LOCALE, { dateStyle: "full", timeStyle: "long" });
const SECOND = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "medium" });
const TIME = new Intl.DateTimeFormat(LOCALE, { timeStyle: "short" });
const DAY = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", timeZone: "UTC" });
const MONTH = new Intl.DateTimeFormat(LOCALE, { month: "long", year: "numeric", timeZone: "UTC" });
const WHOLE_DAY = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeZone: "UTC" });

// Moves every ten seconds, so that "2 minutes ago" stays true.
export const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 10_000);

export function number(value) {
  return value === null || value === undefined ? "–" : PLAIN.format(value);
}

// 20.3k: for a figure whose exact number is in its title.
export function short(value) {
  return value === null || value === undefined ? "–" : value < 10_000 ? PLAIN.format(value) : SHORT.format(value);
}

// Floored to a tenth: 99.96 % is not 100 %.
export function percent(part, whole) {
  if (!whole) return "0 %";
  const tenths = Math.floor((part * 1000) / whole);
  return `${tenths % 10 ? (tenths / 10).toFixed(1) : tenths / 10} %`;
}

export function plural(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

export function bytes(value) {
  const units = ["B", "KB", "MB", "GB"];
  let at = 0;
  let rest = value;
  while (rest >= 1000 && at < units.length - 1) {
    rest /= 1000;
    at += 1;
  }
  return `${rest < 10 && at ? rest.toFixed(1) : Math.round(rest)} ${units[at]}`;
}

// "2026-11-26" as "26 Nov"; a day of the platform's time zone, whatever the browser's is.
export function day(date) {
  return DAY.format(new Date(`${date}T00:00:00Z`));
}

export function wholeDay(date) {
  return WHOLE_DAY.format(new Date(`${date}T00:00:00Z`));
}

// "2026-11" as "November 2026".
export function monthOf(month) {
  return MONTH.format(new Date(`${month}-01T00:00:00Z`));
}

export function moment(at) {
  return MOMENT.format(new Date(at));
}

// For what may be seconds apart.
export function toTheSecond(at) {
  return SECOND.format(new Date(at));
}

export function exactly(at) {
  return EXACT.format(new Date(at));
}

export function time(at) {
  return TIME.format(new Date(at));
}

const SPANS = [["year", 31_536_000], ["month", 2_592_000], ["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];

// Seconds as "3 hours" or "2 minutes".
export function duration(seconds) {
  const size = Math.max(0, Math.round(seconds));
  const [unit, of] = SPANS.find(([, span]) => size >= span) || ["second", 1];
  return plural(Math.floor(size / of), unit);
}

export function relative(at) {
  // `now` says when to draw it again; what has just happened is not ahead of it.
  const seconds = (new Date(at).getTime() - Math.max(now.value, Date.now())) / 1000;
  if (Math.abs(seconds) < 5) return "now";
  return seconds > 0 ? `in ${duration(seconds)}` : `${duration(-seconds)} ago`;
}

// The decimal places of a currency of ISO 4217: 2 of USD, 0 of JPY. 2 while its code is still typed.
export function exponentOf(currency) {
  try {
    return new Intl.NumberFormat(LOCALE, { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
  } catch {
    return 2;
  }
}

// `amount` in units of 10^-exponent of the currency: money(1250, "USD", 2) is "$12.50".
export function money(amount, currency, exponent = 2) {
  if (amount === null || amount === undefined) return "–";
  const value = amount / 10 ** exponent;
  try {
    const format = new Intl.NumberFormat(LOCALE, {
      style: "currency", currency, currencyDisplay: "narrowSymbol", minimumFractionDigits: Math.min(exponent, 2), maximumFractionDigits: Math.max(exponent, 2),
    });
    return format.format(value);
  } catch {
    // Not a currency of ISO 4217, such as HBAR.
    return `${new Intl.NumberFormat(LOCALE, { maximumFractionDigits: exponent }).format(value)} ${currency}`;
  }
}

export function dollars(value) {
  if (value === 0) return "nothing";
  return value < 0.01 ? "under 1 cent" : money(Math.round(value * 100), "USD");
}

// "next_day", "nextDay" and "NEXT_DAY" as "next day".
export function words(name) {
  return String(name).replace(/([a-z])([A-Z])/g, "$1 $2").replaceAll(/[_:#-]+/g, " ").toLowerCase();
}

export function sentence(name) {
  const text = words(name);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// An action of the audit trail. The sources call a boost a campaign of fake views; its views are labelled, and so is it here.
export function action(name) {
  return sentence(String(name).replace(/^FAKE_VIEWS_CAMPAIGN_/, "BOOST_").replace(/^HOOK_/, "WEBHOOK_"));
}
