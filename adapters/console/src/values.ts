/** What forms make of a text that a person wrote. */

/** A text without its ends; null for an empty one. */
export const textOrNull = (text: string): string | null => text.trim() || null;

/** Whether a text is a number as the service takes it, without an exponent. */
export const isDecimal = (text: string): boolean => /^-?\d+(\.\d+)?$/.test(text);
