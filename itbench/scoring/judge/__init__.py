"""The pure part of the judge: what is asked, how answers are checked, what votes add up to, and how far raters agree."""
