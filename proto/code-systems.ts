/** The code systems that both ends know by their URI, as FHIR writes them. */
export const loincSystem = 'http://loinc.org';
export const snomedSystem = 'http://snomed.info/sct';
export const ucumSystem = 'http://unitsofmeasure.org';
/** ISO/IEEE 11073-10101: what devices measure, and in which units. */
export const mdcSystem = 'urn:iso:std:iso:11073:10101';
