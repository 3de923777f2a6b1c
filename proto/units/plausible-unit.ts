/**
 * Whether a text that is formally UCUM is meant so, where nobody said UCUM.
 *
 * UCUM puts 24 prefixes before some 200 atoms and takes numbers as factors, so that nearly every short word and every
 * range is a unit: `g/dag` (a day) is gram by decagram, `Grad` (degrees) a gigarad, `St` (pieces) stokes, `mt` a
 * millitonne, `K/uL` kelvin, `MG/ML` megagauss in a megalitre, and `3.5-5.3` a number. Such a reading is another
 * quantity under the value. So only what hospitals measure in is read bare, with the prefixes that they use; the rest
 * stays as sent, on the worklist, where a config can decide.
 */

/**
 * What is not here on purpose: prefixes above what a body has (Mg, Gm), kelvin, gauss, tesla, farad, henry, coulomb and
 * weber (a count, a temperature or a word in capitals), u and AU (units of an enzyme), tonne, are, stere, bar without a
 * use, radian (a dose), and the capitals that shouted small letters may be (MV, MJ, S, N, A).
 */
const atoms = new Set(
  [
    'fg pg ng ug mg g kg kgf',
    'fL pL nL uL mL cL dL L fl nl ul ml cl dl l',
    'nm um mm cm dm m km',
    'amol fmol pmol nmol umol mmol mol',
    'neq ueq meq eq uosm mosm osm',
    'nU uU mU U kU pkat nkat ukat mkat kat',
    'ns us ms s min h d wk mo a mo_j mo_g mo_s a_j a_g a_t',
    'Cel deg %',
    'uPa mPa Pa hPa kPa MPa daPa mbar bar atm',
    'uN mN dyn',
    'nV uV mV V kV nA uA mA nS uS mS Ohm kOhm MOhm mOhm',
    'mHz Hz kHz MHz GHz',
    'mJ J kJ cal kcal uW mW W kW',
    'mBq Bq kBq MBq GBq pCi nCi uCi mCi Ci nGy uGy mGy cGy dGy Gy uSv mSv Sv mR mREM',
    'cP cSt',
    'lx klx mcd cd dB',
    'eV keV MeV',
  ].flatMap((line) => line.split(' ')),
);

/**
 * Numbers are units too, but a number that was sent is a value, a range, or what is left of a power of ten whose
 * separator was taken for one (`9/L`). It belongs to the unit in `1/min`, `10*9/L`, `/100{WBC}` and `mg/(24.h)`.
 */
export function isPlausible(text: string): boolean {
  const bare = text
    .replace(/\{[^}]*(\}?)/g, (found, end) => (end ? '{}' : found))
    .replace(/\[[^\]]*(\]?)/g, (found, end) => (end ? '[]' : found));
  const parts = bare.split(/([./()])/);
  let named = false;
  for (let at = 0; at < parts.length; at += 2) {
    const [part = '', before = '', after = ''] = [parts[at], parts[at - 1], parts[at + 1]];
    if (part === '') continue;
    const factor = part.replace('{}', '');
    if (/^\d+$/.test(factor)) {
      const counts = factor !== part || (factor === '1' && at === 0 && after === '/');
      if (!counts && (before !== '(' || after !== '.')) return false;
      if (factor !== part) named = true;
    } else {
      named = true;
      if (!isPower(factor) && !isAtom(factor)) return false;
    }
  }
  return named;
}

function isPower(factor: string): boolean {
  return /^10[*^][+-]?\d{1,2}$/.test(factor);
}

function isAtom(factor: string): boolean {
  const atom = factor.replace(/[+-]?\d$/, '');
  // Whoever writes brackets writes UCUM: mm[Hg], [IU], dB[SPL]; but M[IU] may be m[IU] in capitals.
  return atom === '' || /^(?:[a-z]*|dB)\[\]$/.test(atom) || atoms.has(atom);
}
