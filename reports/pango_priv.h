/* The functions of cairo and pango (and of glib, for what they hand over) that draw reports. They
 * are loaded with the first PDF: with their own libraries they take 5 MB and several milliseconds
 * of every start. */
#ifndef BINNACLE_REPORTS_PANGO_PRIV_H
#define BINNACLE_REPORTS_PANGO_PRIV_H

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include "engine/base/status.h"

#define PANGO_FUNCTIONS(FUNCTION)                                                                  \
    FUNCTION(cairo_create)                                                                         \
    FUNCTION(cairo_destroy)                                                                        \
    FUNCTION(cairo_line_to)                                                                        \
    FUNCTION(cairo_move_to)                                                                        \
    FUNCTION(cairo_pdf_surface_create_for_stream)                                                  \
    FUNCTION(cairo_pdf_surface_set_metadata)                                                       \
    FUNCTION(cairo_set_dash)                                                                       \
    FUNCTION(cairo_set_line_width)                                                                 \
    FUNCTION(cairo_set_source_rgb)                                                                 \
    FUNCTION(cairo_show_page)                                                                      \
    FUNCTION(cairo_status)                                                                         \
    FUNCTION(cairo_status_to_string)                                                               \
    FUNCTION(cairo_stroke)                                                                         \
    FUNCTION(cairo_surface_destroy)                                                                \
    FUNCTION(cairo_surface_finish)                                                                 \
    FUNCTION(cairo_surface_status)                                                                 \
    FUNCTION(g_free)                                                                               \
    FUNCTION(g_object_unref)                                                                       \
    FUNCTION(g_utf8_make_valid)                                                                    \
    FUNCTION(pango_cairo_create_layout)                                                            \
    FUNCTION(pango_cairo_show_layout)                                                              \
    FUNCTION(pango_font_description_free)                                                          \
    FUNCTION(pango_font_description_from_string)                                                   \
    FUNCTION(pango_font_description_set_absolute_size)                                             \
    FUNCTION(pango_font_description_set_weight)                                                    \
    FUNCTION(pango_layout_get_size)                                                                \
    FUNCTION(pango_layout_set_alignment)                                                           \
    FUNCTION(pango_layout_set_ellipsize)                                                           \
    FUNCTION(pango_layout_set_font_description)                                                    \
    FUNCTION(pango_layout_set_text)                                                                \
    FUNCTION(pango_layout_set_width)                                                               \
    FUNCTION(pango_layout_set_wrap)

/* Each under its own name. */
struct pango {
#define PANGO_MEMBER(name) __typeof__ (&(name))(name);
    PANGO_FUNCTIONS(PANGO_MEMBER)
#undef PANGO_MEMBER
};

/* STATUS_UNSUPPORTED: it is not installed. */
MUST_USE enum status pango_load(struct pango *pango, struct error *error);

#endif
