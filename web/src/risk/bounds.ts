/** The bounds of the warning colours on the score. Ours, as configured by default; the server decides the colour. */
import type { Colour } from "@/shared/types";
import { COLOURS } from "@/shared/words";

export const BOUNDS: { colour: Colour; from: number }[] = [
  { colour: "red", from: 80 },
  { colour: "orange", from: 60 },
  { colour: "yellow", from: 40 },
  { colour: "blue", from: 20 },
];
const FALL_MARGIN = 5;

/** `held`: the colour stands above its score, by a direct rule or because it falls late. What the next calmer colour is, and below which score it is reached (bound − 5). */
export function nextBelow(score: number | null, colour: Colour): { word: string; below: number; held: boolean } | null {
  if (score === null) return null;
  const at = BOUNDS.findIndex((bound) => bound.colour === colour);
  const bound = BOUNDS[at];
  if (!bound) return null;
  const next = BOUNDS[at + 1];
  return { word: next ? `「${COLOURS[next.colour].word}」` : "无预警", below: bound.from - FALL_MARGIN, held: score < bound.from };
}
