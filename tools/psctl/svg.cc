#include "svg.h"

namespace psctl {

std::string Svg::file(int width, int height, std::string_view title, std::string_view description,
                      std::string_view head) const {
  std::string text = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img" )"
      R"(font-family="Inter, 'Helvetica Neue', Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif" fill="{2}">)"
      "\n<title>{3}</title>\n<desc>{4}</desc>\n",
      width, height, kInk, title, description);
  text += head;
  text += body_;
  return text + "</svg>\n";
}

}  // namespace psctl
