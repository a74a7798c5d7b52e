// Package filter repaints a picture in the style of another by optimising its
// pixels (Gatys, Ecker, Bethge 2015: "A Neural Algorithm of Artistic Style").
// Most programs need two calls: New, with options, an engine, a network and the
// styles; and Paint, once for each picture.
//
// Given content C and style S it seeks the picture G with the least
//
//	J(G)      = α J_content(C,G) + β Σ_k w_k J_style(S/2ᵏ, G/2ᵏ) / Σ_k w_k + J_tv(G) + J_gamut(G) + J_prior(G)
//	J_content = 1/(2 P n_c) ‖a(C) − a(G)‖²
//	J_style   = Σ_l λ_l/(4 n_c²) (‖Gram(S)/P_S − Gram(G)/P_G‖_F² + 2 b_l² ‖mean(S) − mean(G)‖²)
//
// where a is the activation of a middle layer of a pretrained network, Gram =
// Σ_p a_p a_pᵀ over the P positions of a layer, n_c the layer's channels, b_l² the
// trace of Gram(S)/P_S, and G/2ᵏ the picture halved k times. Options.LossScale "sum"
// gives the paper's own factors.
//
// Options.StyleLoss puts others in the place of the bracket, with C = Gram/P − mean meanᵀ
// and the standard deviations σ = √diag C:
//
//	gram          ‖Gram(S)/P_S − Gram(G)/P_G‖_F²
//	gram+means    … + 2 b_l² ‖mean(S) − mean(G)‖², as above
//	gram+moments  ‖Gram(S)/P_S − Gram(G)/P_G‖_F² + b_l² (‖mean(S) − mean(G)‖² + ‖σ(S) − σ(G)‖²)
//	covariance    ‖C(S) − C(G)‖_F² + 2 b_l² ‖mean(S) − mean(G)‖²
//	shifted       s_l times that of gram, of activations a − b̄_l, b̄_l the mean of mean(S)
//	wasserstein   r_l (‖mean(S) − mean(G)‖² + tr(C(S) + C(G) − 2 (C(S)^½ C(G) C(S)^½)^½))
//
// r_l and s_l, in filter/loss.go, give these the scale of the others.
//
// Of several styles Gram(S)/P_S and mean(S) are averaged by their shares: C(S) and σ(S) are
// then those of the mixture, whose spread includes that between the styles' means.
//
// With regions (Frame.Regions) each has a style of its own:
//
//	J_style   = Σ_r A_r J_style,r,   Gram_r = Σ_p m_p a_p a_pᵀ,   P_r = Σ_p m_p
//
// where m_p is the weight of region r at position p, the mean of its map there, and A_r the
// region's share of the picture. These are the guided Gram matrices of Gatys, Ecker, Bethge,
// Hertzmann, Shechtman 2017 (engine.Shares has the difference). A position sees beyond its
// region's border, and still counts by its weight: the strokes of both styles meet there. The
// paper also erodes the maps of deep layers. Then what is 8 to 16 pixels from the border is up
// to 1.6 times as far from its style as where that paints alone, instead of 1.3 times; from 16
// pixels on it is as near either way (night and mosaic at 512 pixels).
//
// The filter knows no file format and no other frame. What should be near an
// earlier result is said by a Guide.
package filter
