// A photo to try with, drawn here: a note on paper, a little turned, lit from one side, with a sensor's noise.

const WIDTH = 720;
const HEIGHT = 960;
const LINES = `Shopping for Sunday

2 bottles of water
a carton of milk, eggs
batteries for the torch
rice, noodles, seaweed

Take the bags back,
and the paper on Tuesday,
tied up with a string.

Ask next door: is the
blue chair still good,
or does it need a sticker?`;

export async function note() {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext("2d");
  context.fillStyle = "rgb(238 232 220)";
  context.fillRect(0, 0, WIDTH, HEIGHT);
  written(context);
  shaded(context);
  noisy(context);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.88));
  return new File([blob], "note.jpg", { type: "image/jpeg" });
}

function written(context) {
  context.save();
  context.translate(WIDTH / 2, HEIGHT / 2);
  context.rotate((-8 * Math.PI) / 180);
  context.fillStyle = "rgb(40 44 70)";
  context.font = "34px sans-serif";
  LINES.split("\n").forEach((line, number) => context.fillText(line, 90 - WIDTH / 2, 124 + number * 51 - HEIGHT / 2));
  context.restore();
}

function shaded(context) {
  const light = context.createLinearGradient(0, 0, WIDTH, HEIGHT / 2);
  light.addColorStop(0, "rgb(0 0 0 / 0)");
  light.addColorStop(1, "rgb(0 0 0 / 0.24)");
  context.fillStyle = light;
  context.fillRect(0, 0, WIDTH, HEIGHT);
}

function noisy(context) {
  const picture = context.getImageData(0, 0, WIDTH, HEIGHT);
  for (let at = 0; at < picture.data.length; at += 4) {
    const grain = (Math.random() + Math.random() - 1) * 10;
    for (let channel = at; channel < at + 3; channel += 1) picture.data[channel] += grain;
  }
  context.putImageData(picture, 0, 0);
}
