/** Where a thing is shown: on a table, on the wall, or from above on the floor. */
import { type Brush, block, circle, ellipse, FLOOR, shape } from './brush.ts';

/** On a table before a wall; `reach` is half the width of the shadow it throws. */
export function onTable(brush: Brush, reach: number, thing: string): string {
  const { table, ink } = brush.colour;
  return (
    wall(brush) +
    backdrop(brush) +
    block(0, 290, 400, 110, table) +
    block(0, 290, 400, 110, 'url(#fall)') +
    ellipse(214, FLOOR, reach * 1.25, reach * 0.16 + 4, ink, 'opacity=".1"') +
    ellipse(206, FLOOR, reach, reach * 0.1 + 3, ink, 'opacity=".22"') +
    thing
  );
}

export function onWall(brush: Brush, thing: string): string {
  return wall(brush) + thing;
}

export function onFloor(brush: Brush, thing: string): string {
  const { table, ink } = brush.colour;
  const boards = [57, 114, 171, 228, 285, 342].map((x) => `M${x} 0V400`).join('');
  return (
    block(0, 0, 400, 400, table) +
    `<path d="${boards}" stroke="${ink}" stroke-width="2" opacity=".1"/>` +
    block(0, 0, 400, 400, 'url(#sky)') +
    thing
  );
}

function wall({ colour }: Brush): string {
  return block(0, 0, 400, 400, colour.wall) + block(0, 0, 400, 400, 'url(#sky)');
}

/** Something calm and large behind the thing. */
function backdrop({ colour, between, pick }: Brush): string {
  const { light, accent, base, table } = colour;
  const x = between(130, 270);
  return pick([
    () => circle(x, between(130, 160), between(90, 112), light, 'opacity=".7"'),
    () => circle(x, between(130, 160), between(80, 104), accent, 'opacity=".2"'),
    () => shape(`M${x - 95} 290V160a95 95 0 0 1 190 0V290Z`, light, 'opacity=".65"'),
    () => shape(`M${x - 100} 290V165a100 100 0 0 1 200 0V290Z`, base, 'opacity=".16"'),
    () =>
      shape(
        'M60 40h90l70 250h-90ZM166 40h90l70 250h-90Z',
        light,
        `opacity=".36" transform="translate(${x - 200})"`,
      ),
    () => block(0, 205, 400, 85, table, 'opacity=".45"') + block(0, 202, 400, 4, light, 'opacity=".4"'),
  ])();
}
