// A time as a player counts it: 0:07, 1:02:03.
export function clock(seconds) {
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  const hours = Math.floor(seconds / 3600), minutes = (seconds % 3600) / 60;
  return `${hours ? `${hours}:${two(minutes)}` : Math.floor(minutes)}:${two(seconds % 60)}`;
}
