// Bytes per second over the last seconds, from what really left. Nothing is said before there is something to say.
const WINDOW = 8_000;

export class Speed {
  constructor() {
    this.marks = [];
  }

  note(total) {
    const now = performance.now();
    // Less than before: a chunk was lost and is sent again.
    if (this.marks.length && total < this.marks.at(-1)[1]) this.marks = [];
    this.marks.push([now, total]);
    while (this.marks.length > 2 && now - this.marks[0][0] > WINDOW) this.marks.shift();
  }

  get perSecond() {
    if (this.marks.length < 2) return 0;
    const [[began, first], [ended, last]] = [this.marks[0], this.marks.at(-1)];
    return ended - began > 800 ? (1000 * (last - first)) / (ended - began) : 0;
  }

  reset() {
    this.marks = [];
  }
}
