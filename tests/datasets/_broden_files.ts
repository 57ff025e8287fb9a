import sharp from "sharp";
import { folderOf } from "./_folders.ts";

/** A mask file of label numbers, `width` a row, encoded as R + 256 G. */
export async function mask(numbers: readonly number[], width: number): Promise<Uint8Array> {
  const data = Uint8Array.from(numbers.flatMap((number) => [number & 255, number >> 8, 0]));
  const raw = { width, height: numbers.length / width, channels: 3 as const };
  return await sharp(data, { raw }).png().toBuffer();
}

export const labelCsv = `number,name,category,frequency,coverage,syns
1,red-c,color(3),0.3,0.1,red
2,street,object(2);part(9),0.2,0.1,"street;road, paved"
3,police_car-s,object(5),0.3,0.1,car;auto
4,wheel,part(2);object(1),0.3,0.1,wheel
5,street-s,scene(2),1,1,street
6,dotted,texture(2),1,1,dotted
300,sky,object(4),0.2,0.1,sky
`;

const header = "image,split,ih,iw,sh,sw,color,object,part,material,scene,texture";

/** Writes a Broden of the given index rows and files below images/ into a new temporary folder. */
export async function writeBroden(
  rows: readonly string[],
  files: Readonly<Record<string, Uint8Array | Promise<Uint8Array>>>,
): Promise<string> {
  const images = await Promise.all(
    Object.entries(files).map(async ([name, bytes]) => [`images/${name}`, await bytes] as const),
  );
  return await folderOf({
    "index.csv": [header, ...rows, ""].join("\n"),
    "label.csv": labelCsv,
    ...Object.fromEntries(images),
  });
}
