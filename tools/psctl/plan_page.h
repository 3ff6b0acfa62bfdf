// The page of `psctl plan --format html`: HTML that is well-formed XML too. It asks for nothing from any network.
#pragma once

namespace psctl {

extern const char* const kPage;  // with marks @SPEC@ @STYLE@ @SCRIPT@; the script has @PLAN@ @MERGED@ @VIEW@
extern const char* const kPageStyle;
extern const char* const kPageScript;

}  // namespace psctl
