// Sizes of what is drawn on a canvas: style sheets count in the root's type size, which is larger on
// the wall and where a reader asked for it, so canvases do, too.
export const px = (size) => Math.round(size * parseFloat(getComputedStyle(document.documentElement).fontSize) / 16);
