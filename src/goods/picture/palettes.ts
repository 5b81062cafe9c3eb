/** Six colours that live well together: a room (wall, table), a thing (base, accent), light and ink. */
export interface Palette {
  readonly wall: string;
  readonly table: string;
  readonly base: string;
  readonly accent: string;
  readonly light: string;
  readonly ink: string;
}

export const PALETTES: readonly Palette[] = [
  palette('f6e7d8 e6c9ae c8643c 2f6b70 fdf6ec 3d2a22'), // terracotta and teal
  palette('e5ece0 c4d3b9 5f8a6b df9450 f9f8ef 2b3a31'), // sage and apricot
  palette('ebe3f1 cdbcdd 775b9f f0a565 fbf6fd 34274a'), // lilac dusk
  palette('deedf1 b3d3dc 2c7a99 f2a154 f6fbfb 17394a'), // sea and marigold
  palette('f9e5e2 edc4bf c45868 5d7d78 fef6f4 45242c'), // rose and eucalyptus
  palette('f8eed3 ecd49d d6952a 34607b fffaec 3f3019'), // mustard and denim
  palette('2b4c52 203c42 e3a55c e2765a f6ead6 10262b'), // pine at night
  palette('553449 422638 e58f7c f2c57a fbe9df 28121f'), // plum and peach
  palette('ebebe6 d0d1ca 56697c e27d60 fafaf7 2a333c'), // northern grey
  palette('e0f2eb b6ddcf ec7a62 2b6d63 f8fdfa 1e3d38'), // mint and coral
  palette('fee9d9 f7caaa 2c4a73 ef8557 fff8f1 1c2c47'), // peach and navy
  palette('efedf4 d5cde5 7d8a45 b5628c fbfaf5 343a20'), // lavender and olive
  palette('e4f0fb bcd6ee b73f4e f0b44c f8fcff 3b1f2b'), // sky and cherry
  palette('2a3a5e 202d4b f0b95f 7fb5b5 f5efe0 121a2f'), // midnight and brass
  palette('f4e1dc dcb3a4 70816a a5493d fcf4ee 3a2b28'), // clay and moss
  palette('f3eee3 dccfb6 3f7d78 d9694c fdfbf4 263836'), // sand and lagoon
];

function palette(colours: string): Palette {
  const [wall, table, base, accent, light, ink] = colours.split(' ').map((hex) => `#${hex}`);
  return { wall: wall!, table: table!, base: base!, accent: accent!, light: light!, ink: ink! };
}
