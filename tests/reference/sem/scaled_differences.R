# Scaled difference tests of models with incomplete rows, weights, clusters and groups, by lavaan 0.6-14.
# Run in this folder: Rscript scaled_differences.R   (R, lavaan, jsonlite)
#
# Satorra & Bentler (2001), Satorra (2000) of complete rows without weights: lavTestLRT as it stands ("printed").
#
# Satorra & Bentler (2010) needs the free model's test where it implies the moments of the restricted model. lavTestLRT
# carries the parameters over name by name; where the restricted model frees means of factors that the free model fixes,
# the free model then implies other moments. "gap" is how far they are off. So the free model is fitted to the moments
# of the restricted one, and lavaan's own test of it is taken there ("there").
#
# Satorra (2000) of incomplete or weighted rows: lavTestLRT has a Gamma in which what is missing is zero (and a cluster
# with anything missing is zero too), without weights. Later releases take the sandwich of the saturated moments. Here
# the covariance matrix of the estimates stands in its place, which has the weights and the holes: the trace is that of
# (A P A')^-1 A N A' with lavaan's restrictions A, inverse information P and n times covariance matrix N ("vcov").
suppressMessages({library(lavaan); library(jsonlite)})
options(warn = -1)
free <- "access =~ access1 + access2 + access3 + access4\nresult =~ result1 + result2 + result3"
tied <- "access =~ access1 + a*access2 + a*access3 + a*access4\nresult =~ result1 + b*result2 + b*result3"
others <- paste0(c("access2", "access3", "access4", "result2", "result3"), "~1")

tables <- list(survey = read.csv("../lavaan/survey.csv"), survey_missing = read.csv("../lavaan/survey_missing.csv"))
design <- c("level", "agency", "weight")
tables$survey_missing[design] <- tables$survey[design]

fitted <- function(case, kind) {
  options <- list(data = tables[[case$data]], estimator = "MLR", meanstructure = TRUE)
  if (!is.null(case$missing)) options$missing <- case$missing
  if (!is.null(case$weights)) options$sampling.weights <- case$weights
  if (!is.null(case$cluster)) options$cluster <- case$cluster
  if (!is.null(case$information)) options$information <- case$information
  if (is.null(case$steps)) return(do.call("cfa", c(list(if (kind == "free") free else tied), options)))
  metric <- "loadings"
  scalar <- c("loadings", "intercepts")
  equal <- list(configural = list(), metric = list(group.equal = metric), scalar = list(group.equal = scalar),
    anchored = list(group.equal = scalar, group.partial = others),
    strict = list(group.equal = c(scalar, "residuals")))[[case$steps[[if (kind == "free") 1 else 2]]]]
  do.call("cfa", c(list(free, group = "level"), options, equal))
}

differing <- function(one, other) max(abs(unlist(lavInspect(one, "implied")) - unlist(lavInspect(other, "implied"))))

# The free model as it stands where its moments are those of the restricted one, or nearest to them.
there <- function(free, restricted) {
  moments <- lavInspect(restricted, "implied")
  if (!is.null(moments$cov)) moments <- list(moments)
  rows <- parTable(free)
  rows$start <- rows$est <- rows$se <- NULL
  near <- lavaan(rows, sample.cov = lapply(moments, `[[`, "cov"), sample.mean = lapply(moments, `[[`, "mean"),
    sample.nobs = lapply(free@SampleStats@nobs, round), sample.cov.rescale = FALSE, meanstructure = TRUE,
    control = list(rel.tol = 1e-14, x.tol = 1e-12, iter.max = 20000, eval.max = 20000))
  options <- free@Options
  options$optim.method <- "none"
  options$optim.force.converged <- TRUE
  options$baseline <- options$check.gradient <- FALSE
  options$start <- parTable(near)
  rows$ustart[rows$free > 0] <- NA
  lavaan(rows, slotOptions = options, slotSampleStats = free@SampleStats, slotData = free@Data, slotCache = free@Cache)
}

by_2010 <- function(free, restricted) {
  weighted <- function(fit) fit@test[[1]]$df * fit@test[[2]]$scaling.factor
  at <- there(free, restricted)
  stopifnot(differing(at, restricted) < 1e-6)
  df <- restricted@test[[1]]$df - free@test[[1]]$df
  (restricted@test[[1]]$stat - free@test[[1]]$stat) * df / (weighted(restricted) - weighted(at))
}

by_vcov <- function(free, restricted) {
  across <- lavaan:::lav_test_diff_A(free, restricted)
  if (free@Model@eq.constraints) across <- across %*% t(free@Model@eq.constraints.K)
  inverse <- lavaan:::lav_model_information_augment_invert(free@Model, information = lavTech(free, "information"),
    inverted = TRUE)
  middle <- MASS::ginv(across %*% inverse %*% t(across))
  product <- middle %*% across %*% (lavTech(free, "vcov") * free@SampleStats@ntotal) %*% t(across)
  df <- restricted@test[[1]]$df - free@test[[1]]$df
  stretch <- sqrt(df / sum(product * t(product)))
  stretch * (restricted@test[[1]]$stat - free@test[[1]]$stat) + df - stretch * sum(diag(product))
}

answers <- function(case) {
  one <- fitted(case, "free")
  other <- fitted(case, "restricted")
  printed <- function(method) lavTestLRT(one, other, method = method)[2, "Chisq diff"]
  carried <- lavaan:::lav_test_diff_m10(one, other, test = TRUE)
  values <- list(satorra_bentler_2001 = printed("satorra.bentler.2001"), satorra_bentler_2010 = by_2010(one, other),
    satorra_2000 = if (is.null(case$missing) && is.null(case$weights)) printed("satorra.2000") else by_vcov(one, other))
  list(df = other@test[[1]]$df - one@test[[1]]$df, values = lapply(values, signif, 10),
    printed = lapply(list(satorra_bentler_2010 = printed("satorra.bentler.2010"), satorra_2000 = printed("satorra.2000")), signif, 10),
    gap = signif(differing(carried, other), 3))
}

cases <- list(
  plain = list(data = "survey"),
  clusters = list(data = "survey", cluster = "agency"),
  weights = list(data = "survey", weights = "weight"),
  weighted_clusters = list(data = "survey", weights = "weight", cluster = "agency"),
  holes = list(data = "survey_missing", missing = "fiml"),
  clustered_holes = list(data = "survey_missing", missing = "fiml", cluster = "agency"),
  weighted_clustered_holes = list(data = "survey_missing", missing = "fiml", weights = "weight", cluster = "agency"),
  metric = list(data = "survey", weights = "weight", cluster = "agency", steps = list("configural", "metric")),
  scalar_clusters = list(data = "survey", cluster = "agency", steps = list("metric", "scalar")),
  anchored_clusters = list(data = "survey", cluster = "agency", steps = list("anchored", "scalar")),
  strict_clusters = list(data = "survey", cluster = "agency", steps = list("scalar", "strict")),
  scalar_holes = list(data = "survey_missing", missing = "fiml", weights = "weight", cluster = "agency",
    steps = list("metric", "scalar"))
)
found <- lapply(cases, function(case) c(case, answers(case)))

# Ordered answers: lavTestLRT as it stands, which is Satorra (2000), scaled and shifted. Age is divided by ten.
tables$survey$age <- tables$survey$age / 10
items <- c(paste0("access", 1:4), paste0("result", 1:3))
explained <- paste0(free, "\naccess + result ~ age + online")
partly <- paste0(free, "\naccess ~ age + 0*online\nresult ~ 0*age + online")
orthogonal <- paste0(free, "\naccess ~~ 0*result")
equal <- c("thresholds", "loadings")
ordinal <- list(
  theta = list(models = list(free, tied), options = list(parameterization = "theta")),
  uls = list(models = list(free, tied), options = list(estimator = "ULSMV")),
  weights = list(models = list(free, tied), options = list(weights = "weight")),
  mixed = list(models = list(free, orthogonal), ordered = items[1:4]),
  predictors = list(models = list(explained, partly)),
  groups = list(models = list(free, free), options = list(group = "level"),
    equal = list(equal, c(equal, "lv_variances", "lv_covariances"))),
  groups_theta = list(models = list(free, free), options = list(group = "level", parameterization = "theta"),
    equal = list(equal, c(equal, "residuals")))
)
ordinal_answers <- function(case) {
  options <- c(list(data = tables$survey, ordered = if (is.null(case$ordered)) items else case$ordered), case$options)
  names(options)[names(options) == "weights"] <- "sampling.weights"
  fits <- lapply(1:2, function(k) do.call("sem", c(list(case$models[[k]]), options,
    if (!is.null(case$equal)) list(group.equal = gsub("_", ".", case$equal[[k]])))))
  test <- lavTestLRT(fits[[1]], fits[[2]])
  list(df = test[2, "Df diff"], statistic = signif(test[2, "Chisq diff"], 10))
}
found_ordinal <- lapply(ordinal, function(case) c(case, ordinal_answers(case)))
writeLines(toJSON(list(free = free, tied = tied, others = others, cases = found, ordinal = found_ordinal), digits = NA,
  auto_unbox = TRUE, pretty = 1), "scaled_differences.json")
