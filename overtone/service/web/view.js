// What all that is shown has in common.

import htm from "htm";
import { h } from "preact";

export const html = htm.bind(h);

// As `ref` of what the keyboard shall be at once it is there.
export const focused = (element) => element?.focus();

// A time as a player counts it: 0:07, 1:02:03.
export function clock(seconds) {
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  const hours = Math.floor(seconds / 3600), minutes = (seconds % 3600) / 60;
  return `${hours ? `${hours}:${two(minutes)}` : Math.floor(minutes)}:${two(seconds % 60)}`;
}
