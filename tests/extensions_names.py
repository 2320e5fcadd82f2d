"""Names that community extensions import, by module: those that most of them need, those of several, and those of a few heavy ones."""

MOST = {
    "modules.scripts": "AlwaysVisible basedir scripts_data postprocessing_scripts_data scripts_txt2img scripts_img2img scripts_current "
                       "list_scripts list_files_with_name ScriptFile ScriptRunner OnComponent PostprocessImageArgs "
                       "PostprocessBatchListArgs PostSampleArgs MaskBlendArgs PostProcessMaskOverlayArgs Script ScriptClassData "
                         "script_callbacks shared paths",
    "modules.script_callbacks": "remove_callbacks_for_function remove_current_script_callbacks callback_map CFGDenoiserParams "
                                "CFGDenoisedParams AfterCFGCallbackParams ImageSaveParams ImageGridLoopParams ExtraNoiseParams "
                                "UiTrainTabParams BeforeTokenCounterParams on_app_started on_before_reload on_model_loaded on_ui_tabs "
                                "on_ui_settings on_before_image_saved on_image_saved on_cfg_denoiser on_cfg_denoised on_cfg_after_cfg "
                                "on_infotext_pasted on_before_ui on_script_unloaded on_before_component on_after_component on_image_grid "
                                "on_extra_noise on_before_token_counter on_list_optimizers on_list_unets on_ui_train_tabs",
    "modules.shared": "opts cmd_opts OptionInfo OptionHTML sd_model state State sd_upscalers total_tqdm device options_section "
                      "options_templates listfiles walk_files html list_checkpoint_tiles refresh_checkpoints prompt_styles interrogator "
                      "mem_mon face_restorers hide_dirs data_path models_path config_filename styles_filename latent_upscale_modes "
                      "latent_upscale_default_mode xformers_available batch_cond_uncond hypernetworks loaded_hypernetworks clip_model "
                      "demo log natural_sort_key",
    "modules.processing": "StableDiffusionProcessing StableDiffusionProcessingTxt2Img StableDiffusionProcessingImg2Img Processed "
                          "process_images process_images_inner create_infotext fix_seed get_fixed_seed create_random_tensors "
                          "decode_first_stage create_binary_mask apply_overlay setup_color_correction apply_color_correction opt_C opt_f "
                          "slerp program_version",
    "modules.devices": "device cpu torch_gc dtype dtype_vae dtype_unet autocast without_autocast get_optimal_device "
                       "get_optimal_device_name get_device_for cond_cast_unet test_for_nans NansException fp8 has_mps",
    "modules.paths": "models_path script_path data_path extensions_dir extensions_builtin_dir sd_path paths cwd normalized_filepath",
    "modules.paths_internal": "models_path script_path data_path extensions_dir extensions_builtin_dir normalized_filepath cwd",
    "modules.images": "save_image resize_image flatten read_info_from_image image_grid draw_grid_annotations GridAnnotation "
                      "get_next_sequence_number sanitize_filename_part split_grid combine_grid Grid LANCZOS",
    "modules.ui_components": "ToolButton FormRow InputAccordion FormColumn FormGroup FormHTML FormColorPicker DropdownMulti "
                             "DropdownEditable ResizeHandleRow FormComponent",
    "modules.launch_utils": "is_installed run_pip run python args git_tag commit_hash",
    "launch": "is_installed run_pip run python args git_tag commit_hash",
}
SEVERAL = {
    "modules.ui": "create_refresh_button create_output_panel plaintext_to_html gr_show versions_html txt2img_paste_fields "
                  "img2img_paste_fields save_files update_generation_info refresh_symbol random_symbol reuse_symbol save_style_symbol "
                  "switch_values_symbol paste_symbol folder_symbol wrap_gradio_call wrap_gradio_gpu_call",
    "modules.ui_common": "create_refresh_button create_output_panel plaintext_to_html save_files update_generation_info",
    "modules.infotext_utils": "parse_generation_parameters create_buttons bind_buttons register_paste_params_button ParamBinding "
                              "connect_paste_params_buttons registered_param_bindings create_override_settings_dict paste_fields "
                              "image_from_url_text quote unquote add_paste_fields PasteField",
    "modules.call_queue": "queue_lock wrap_queued_call wrap_gradio_gpu_call wrap_gradio_call",
    "modules.sd_models": "checkpoints_list checkpoint_aliases checkpoint_alisases checkpoint_tiles get_closet_checkpoint_match "
                         "reload_model_weights load_model unload_model_weights read_state_dict list_models model_data model_hash "
                         "model_path select_checkpoint read_metadata_from_safetensors checkpoints_loaded SkipWritingToConfig "
                         "CheckpointInfo",
    "modules.sd_samplers": "all_samplers samplers samplers_for_img2img all_samplers_map samplers_map visible_sampler_names create_sampler "
                           "SamplerData find_sampler_config set_samplers get_sampler_and_scheduler",
    "modules.sd_schedulers": "schedulers schedulers_map",
    "modules.sd_vae": "vae_dict refresh_vae_list reload_vae_weights find_vae_near_checkpoint",
    "modules.shared_items": "realesrgan_models_names postprocessing_scripts sd_vae_items refresh_vae_list cross_attention_optimizations "
                            "sd_unet_items refresh_unet_list list_checkpoint_tiles refresh_checkpoints list_samplers "
                            "reload_hypernetworks get_infotext_names",
    "modules.hashes": "sha256 sha256_from_cache calculate_sha256",
    "modules.cache": "cache cached_data_for_file dump_cache",
    "modules.safe": "load unsafe_torch_load Extra",
    "modules.errors": "report display print_error_explanation",
    "modules.timer": "Timer startup_timer",
    "modules.modelloader": "load_file_from_url load_models",
    "modules.lowvram": "send_everything_to_cpu module_in_gpu setup_for_low_vram",
    "modules.masking": "get_crop_region get_crop_region_v2 expand_crop_region fill",
    "modules.extra_networks": "ExtraNetwork ExtraNetworkParams register_extra_network register_extra_network_alias "
                              "extra_network_registry parse_prompt parse_prompts activate deactivate",
    "modules.ui_extra_networks": "ExtraNetworksPage register_page extra_pages quote_js",
    "modules.extensions": "extensions active extensions_dir extensions_builtin_dir",
    "modules.prompt_parser": "get_learned_conditioning get_multicond_learned_conditioning get_learned_conditioning_prompt_schedules "
                             "get_multicond_prompt_list reconstruct_cond_batch reconstruct_multicond_batch parse_prompt_attention "
                             "ScheduledPromptConditioning ComposableScheduledPromptConditioning MulticondLearnedConditioning "
                             "SdConditioning DictWithShape",
    "modules.sd_hijack": "model_hijack",
    "modules.scripts_postprocessing": "ScriptPostprocessing PostprocessedImage",
    "modules.api.api": "Api decode_base64_to_image encode_pil_to_base64",
    "modules.api.models": "StableDiffusionTxt2ImgProcessingAPI StableDiffusionImg2ImgProcessingAPI ScriptArg ScriptInfo",
}
FEW = {
    "modules.ui_toprow": "Toprow",
    "modules.sd_unet": "unet_options", "modules.sd_vae_approx": "cheap_approximation", "modules.sd_vae_taesd": "decoder_model",
    "modules.patches": "patch undo original",
    "modules.progress": "add_task_to_queue start_task finish_task current_task",
    "modules.rng": "ImageRNG randn",
    "modules.localization": "localizations", "modules.deepbooru": "model re_special", "modules.interrogate": "InterrogateModels",
    "modules.face_restoration": "restore_faces", "modules.extras": "run_pnginfo create_config",
    "modules.textual_inversion.textual_inversion": "Embedding EmbeddingDatabase",
    "modules.script_loading": "load_module preload_extensions",
    "modules.sd_samplers_common": "Sampler SamplerData InterruptedException setup_img2img_steps images_tensor_to_samples "
                                  "samples_to_images_tensor sample_to_image decode_first_stage approximation_indexes apply_refiner "
                                  "store_latent",
    "modules.sd_samplers_kdiffusion": "KDiffusionSampler CFGDenoiserKDiffusion CFGDenoiser",
    "modules.sd_samplers_timesteps": "CompVisSampler CFGDenoiserTimesteps CompVisTimestepsDenoiser CompVisTimestepsVDenoiser",
    "modules.sd_samplers_compvis": "VanillaStableDiffusionSampler",
    "modules.sd_hijack_unet": "th",
    "modules.sd_hijack_optimizations": "get_available_vram sub_quad_attention get_xformers_flash_attention_op",
    "modules.sd_hijack_clip": "FrozenCLIPEmbedderWithCustomWordsBase",
    "modules.cmd_args": "parser",
    "modules.img2img": "process_batch",
}
# Found where webui.py puts them, behind everything that is installed.
TOP_LEVEL = {
    "networks": "loaded_networks available_networks available_network_aliases forbidden_network_aliases available_network_hash_lookup "
                "list_available_networks load_network load_networks networks_in_memory network_apply_weights network_reset_cached_weight "
                "network_Linear_forward originals loaded_loras available_loras",
    "lora": "loaded_loras available_loras", "network": "Network NetworkModule NetworkOnDisk", "extra_networks_lora": "ExtraNetworkLora",
    "ldm.util": "default exists instantiate_from_config",
    "ldm.modules.attention": "CrossAttention MemoryEfficientCrossAttention BasicTransformerBlock SpatialTransformer FeedForward default",
    "ldm.modules.diffusionmodules.openaimodel": "UNetModel ResBlock TimestepEmbedSequential Downsample Upsample SpatialTransformer "
                                                "timestep_embedding conv_nd linear zero_module exists",
    "ldm.modules.diffusionmodules.util": "timestep_embedding conv_nd linear zero_module normalization checkpoint GroupNorm32 "
                                         "make_beta_schedule extract_into_tensor",
    "ldm.modules.diffusionmodules.model": "Encoder Decoder AttnBlock MemoryEfficientAttnBlock",
    "ldm.models.diffusion.ddpm": "LatentDiffusion", "ldm.models.autoencoder": "AutoencoderKL",
    "ldm.modules.encoders.modules": "FrozenCLIPEmbedder FrozenOpenCLIPEmbedder",
    "sgm.modules.attention": "CrossAttention", "sgm.modules.diffusionmodules.openaimodel": "UNetModel",
    "sgm.modules.diffusionmodules.util": "timestep_embedding", "sgm.modules": "GeneralConditioner",
    "k_diffusion.external": "CompVisDenoiser CompVisVDenoiser",
}
