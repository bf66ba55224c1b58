// Helpers shared by all components.

import htm from "htm";
import { h } from "preact";

export const html = htm.bind(h);

// A `ref` that moves the keyboard focus to an element when it appears.
export const focused = (element) => element?.focus();

// Formats a time as 0:07 or 1:02:03.
export function clock(seconds) {
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  const hours = Math.floor(seconds / 3600), minutes = (seconds % 3600) / 60;
  return `${hours ? `${hours}:${two(minutes)}` : Math.floor(minutes)}:${two(seconds % 60)}`;
}
